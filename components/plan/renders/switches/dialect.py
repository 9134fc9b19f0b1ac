"""The systems on switches, and which files each is configured by.

Owns the one place that chooses by `switch.os`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from components.plan.fabric_model import SwitchPlan
from components.plan.frr import switch_config
from components.plan.model import RegionPlan
from components.plan.renders.piece import Files, Piece
from components.plan.renders.switches import nvue, sonic


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A system on switches."""

    files: Callable[[SwitchPlan, RegionPlan], Mapping[str, str]]
    """File name -> content."""
    ports: Callable[[SwitchPlan], Mapping[str, str]] = lambda switch: {port.name: port.name for port in switch.ports}
    """Port of the plan -> what the system calls it."""


DIALECTS: Mapping[str, Dialect] = {
    "frr": Dialect(files=lambda switch, plan: {"frr.conf": switch_config(switch, plan)}),
    "cumulus": Dialect(files=lambda switch, plan: {"startup.yaml": nvue.configuration(switch, plan)}),
    "sonic": Dialect(files=sonic.files, ports=sonic.port_names),
}


def dialect_of(switch: SwitchPlan) -> Dialect:
    """The system on this switch."""
    return DIALECTS[switch.os]


def config_text(switch: SwitchPlan, plan: RegionPlan) -> str:
    """All files of a switch as one text, for whoever compares it: each but a lone one under its name."""
    files = dialect_of(switch).files(switch, plan)
    if len(files) == 1:
        return next(iter(files.values()))
    return "".join(f"# file: {name}\n{content}" for name, content in files.items())


def switches(plan: RegionPlan) -> Iterator[Piece]:
    """`<switch>/<file>` of every switch."""
    fabric = plan.fabric
    shared = (fabric.mtu, fabric.bfd_interval_ms, fabric.bfd_multiplier, fabric.prefixes)
    reads = (*shared, plan.oob, plan.endpoints.dns, plan.endpoints.ntp)
    for switch in fabric.switches:
        yield Piece(switch.name, (switch, *reads), partial(_files, switch, plan))


def _files(switch: SwitchPlan, plan: RegionPlan) -> Files:
    for name, content in dialect_of(switch).files(switch, plan).items():
        yield f"{switch.name}/{name}", content
