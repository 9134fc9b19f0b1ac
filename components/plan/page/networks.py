"""Switches as the page's pictures need them: the routed fabric by plane, the compute network by island."""

from __future__ import annotations

from collections import Counter
from typing import Any

from components.plan.fabric_model import SwitchPlan, SwitchRole
from components.plan.model import RegionPlan
from components.plan.networks.model import Tier

COLUMNS = ("name", "role", "plane", "unit", "asn", "loopback", "oob", "links")
"""Of the table of switches."""


def fabric_map(plan: RegionPlan) -> dict[str, Any]:
    """The switches of the routed fabric."""
    units = {place.rack: place.unit for place in plan.topology.racks}
    racks = {host.name: host.rack for host in plan.hosts}
    rows = [
        [
            switch.name,
            _role(switch),
            switch.plane,
            _unit(switch, racks, units),
            switch.asn,
            switch.loopback,
            switch.oob_address,
            dict(sorted(Counter(port.peer_kind for port in switch.ports).items())),
        ]
        for switch in plan.fabric.switches
    ]
    first = plan.fabric.switches[0]
    return {"columns": COLUMNS, "rows": rows, "model": first.model, "os": first.os, "mtu": plan.fabric.mtu}


def compute_map(plan: RegionPlan) -> dict[str, Any] | None:
    """The compute network: counts by unit, as its switches are thousands and all alike."""
    compute = plan.networks.compute
    if compute is None:
        return None
    by_unit = Counter((switch.unit, switch.tier) for switch in compute.switches if switch.unit is not None)
    by_island = Counter((switch.island, switch.tier) for switch in compute.switches)
    joined = set(compute.racks)
    racks = Counter(place.unit for place in plan.topology.racks if place.rack in joined)
    size = compute.shape.island_units
    return {
        "model": compute.model,
        "speed": compute.speed_gbps,
        "rails": compute.shape.rails,
        "tiers": compute.shape.tiers,
        "groups": compute.shape.core_groups,
        "unit_racks": compute.shape.unit_racks,
        "islands": [
            {
                "number": island,
                "leaf": by_island[island, Tier.LEAF],
                "spine": by_island[island, Tier.SPINE],
                "core": by_island[island, Tier.CORE],
                "units": [
                    [unit, by_unit[unit, Tier.LEAF], by_unit[unit, Tier.SPINE], racks[unit]]
                    for unit in range((island - 1) * size + 1, island * size + 1)
                ],
            }
            for island in compute.islands
        ],
    }


def _role(switch: SwitchPlan) -> str:
    """`spine`, `leaf`, or `border` for a leaf that only leads outside."""
    kinds = {port.peer_kind for port in switch.ports}
    return "border" if switch.role is SwitchRole.LEAF and "edge" in kinds and "host" not in kinds else switch.role.value


def _unit(switch: SwitchPlan, racks: dict[str, str], units: dict[str, int]) -> int | None:
    """The scalable unit of a leaf; None where its hosts are of several, or it has none."""
    found = {units[racks[port.peer]] for port in switch.ports if port.peer_kind == "host"}
    return found.pop() if len(found) == 1 else None
