"""What is recorded of a rack after a run, and what a failed run says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.clients.ironic_model import Node
from components.errors import DeviceError, Problem
from components.provider.rack_inputs import RackInputs
from components.provider.tray_access import needs_access
from components.provider.tray_state import DEPLOYED, DESTRUCTIVE, Goal, Step, Want, is_for_another, way

OUTPUTS = ("node", "state", "address", "image_sha256", "deployed", "left")
"""Keys of a tray that are recorded, beside what was asked for."""


def want_of(rack: RackInputs, name: str) -> Want:
    """A tray's goal."""
    return Want(goal=Goal(rack.trays[name].desired), deployment=rack.deployment(name))


def outputs_of(rack: RackInputs, nodes: Mapping[str, Node | None], access: Mapping[str, str]) -> dict[str, Any]:
    """What each tray is by now, and in `left` what it still lacks; empty once it is what it shall be.

    `access`: tray -> digest of the access to its BMC.
    """
    return {"trays": {name: _output(rack, name, nodes.get(name), access[name]) for name in rack.trays}}


def _output(rack: RackInputs, name: str, node: Node | None, access: str) -> dict[str, str]:
    is_active = node is not None and node.provision_state == "active"
    return {
        "node": node.uuid if node is not None else "",
        "state": node.provision_state if node is not None else "absent",
        "address": str(rack.trays[name].oob.address),
        "image_sha256": str(node.instance_info.get("image_os_hash_value", "")) if node and is_active else "",
        # Nothing while there is no host: a disk that is wiped has not been deployed.
        "deployed": str(node.instance_info.get(DEPLOYED, "")) if node and is_active else "",
        "left": ", ".join(_words(step) for step in _left(rack, name, node, access)),
    }


def _left(rack: RackInputs, name: str, node: Node | None, access: str) -> tuple[Step, ...]:
    want = want_of(rack, name)
    if is_for_another(node, rack.trays[name].serial):
        return (*way(node, Want(goal=Goal.GONE)), *way(None, want))
    steps = way(node, want)
    if node is not None and needs_access(node, access) and Step.ENROL not in steps:
        return (Step.ENROL, *steps)
    return steps


def _words(step: Step) -> str:
    return f"{step} (destructive)" if step in DESTRUCTIVE else str(step)


def inputs_of(trays: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What was asked for each tray, out of state that has the outputs laid over it."""
    return {name: {k: v for k, v in tray.items() if k not in OUTPUTS} for name, tray in trays.items()}


def failure_of(rack: str, total: int, bad: Mapping[str, DeviceError]) -> DeviceError | None:
    """The one error that names every tray that failed."""
    if not bad:
        return None
    problems: list[Problem] = [problem for error in bad.values() for problem in error.problems]
    others = ", the others did" if len(bad) < total else ""
    return DeviceError(f"{rack}: {len(bad)} of {total} trays did not get there{others}", problems)
