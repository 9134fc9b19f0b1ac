"""Which trays the checks of a region accept: those of which every check was made, and passed.

Pure; `region verify` records them in the acceptance ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.checks.result import CheckResult, Status
from components.plan.model import RegionPlan


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A tray of which all checks pass."""

    serial: str
    device: str
    """Rack and slot, as bring-up calls it: `lab-r01/1`."""
    checks: dict[str, str]
    """Check -> what it found."""


def accepted(plan: RegionPlan, results: Sequence[CheckResult]) -> list[Accepted]:
    """Trays that are received, were looked at as machines, and of which nothing fails, warns or was left out."""
    mine: dict[str, list[CheckResult]] = {host.name: [] for host in plan.hosts if host.is_received}
    for result in results:
        for word in result.name.split("."):
            if word in mine:
                mine[word].append(result)
    return [
        Accepted(
            serial=host.serial,
            device=f"{host.rack}/{host.slot}",
            checks={result.name: result.found for result in mine[host.name]},
        )
        for host in plan.hosts
        if (found := mine.get(host.name))
        and any(result.name.startswith("substrate.") for result in found)
        and all(result.status is Status.OK for result in found)
    ]
