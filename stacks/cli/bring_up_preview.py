"""What a bring-up of real machines is going to do, said before anybody is asked. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from components.plan.bring_up.compile import Plan
from components.spec.catalogue.firmware import Endpoint
from components.words import count

KINDS = {
    Endpoint.POWER_SHELF: "power shelves",
    Endpoint.NVLINK_SWITCH: "NVLink switch trays",
    Endpoint.DPU: "DPUs",
    Endpoint.COMPUTE_TRAY: "compute trays",
}


def foretold(plan: Plan, served: Collection[str]) -> Iterator[str]:
    """The lines for people. `served` are racks that were handed over before: they are only looked at."""
    ahead = [rack for rack in plan.racks if rack.name not in served]
    counts = Counter(each.kind for rack in ahead for each in rack.endpoints)
    if seen := len(plan.racks) - len(ahead):
        yield f"{count(seen, 'rack')} handed over before: trays in service are only looked at, what was isolated is taken up again"
    if not ahead:
        return
    endpoints = sum(counts.values())
    yield f"{count(len(ahead), 'rack')}, {count(endpoints, 'endpoint')}, of which each that is not yet so"
    yield f"  gets a password of its own: the factory's opens none of the {endpoints:,} any more"
    yield f"  is brought to the firmware of {plan.baseline.baseline} {plan.baseline.release or ''}".rstrip() + ":"
    for kind in Endpoint:
        if counts[kind] and (versions := plan.baseline.versions(kind)):
            parts = ", ".join(f"{part} {version}" for part, version in sorted(versions.items()))
            yield f"    {counts[kind]:,} {KINDS[kind]}: {parts}"
    yield f"  is reset and switched on and off, {_budgets(plan)}"


def _budgets(plan: Plan) -> str:
    limits = plan.limits
    return (
        f"at most {limits['rack']:g} at a time in a rack, {limits['nvlink']:g} in an NVLink domain, "
        f"{limits['region']:g} in the region, {limits['feed']:,g} kW on a feed"
    )
