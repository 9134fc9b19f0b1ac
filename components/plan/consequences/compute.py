"""From two snapshots of a region to everything that the change between them does. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from types import MappingProxyType

from components.plan.consequences.cables import Run, cable_groups, cable_work, runs_of
from components.plan.consequences.costs import BENCH, CostTable
from components.plan.consequences.duration import duration
from components.plan.consequences.groups import grouped
from components.plan.consequences.hosts import domain_effects, host_change, node_change, not_received, spares
from components.plan.consequences.impact import ServiceEffect, TenantEffect
from components.plan.consequences.model import CableWork, Consequences, GoneRack, HandWork, PowerChange
from components.plan.consequences.planned import Planned, planned_actions
from components.plan.consequences.power import power_change
from components.plan.consequences.rollback import rollback
from components.plan.consequences.snapshot import Layers, Snapshot
from components.plan.consequences.tenants import service_effects, tenant_effects
from components.plan.consequences.work import hand_work
from components.plan.cost import CostChange, cost_change
from components.plan.cost.region import region_forecast
from components.plan.model import RegionPlan

_BENCH = CostTable(costs=MappingProxyType({"bench": BENCH}))


def consequences(
    old: Snapshot | None, new: Snapshot, *, costs: CostTable = _BENCH, notes: Sequence[str] = ()
) -> Consequences:
    """What becomes of the region when `new` is applied to `old`; None stands for a region of which nothing is there."""
    plan = new.plan
    if plan is None:
        raise ValueError("what shall be is a compiled plan")
    before = old.plan if old else None
    layers: Layers = old.layers if old else {}
    planned = planned_actions(layers, new.layers)
    change = host_change(layers, planned)
    is_comparable = old is None or before is not None
    work = hand_work(before, plan, (layers, new.layers), change)
    power = power_change(before, plan) if is_comparable else None
    is_laid = before is not None and before.networks.cables == plan.networks.cables
    laid, wanted = ({}, {}) if is_laid else (runs_of(before), runs_of(plan))
    cables = tuple(cable_work(laid.keys(), wanted.keys())) if is_comparable else ()
    tenants = tenant_effects(before, plan, change) if is_comparable else ()
    services = service_effects(before, plan, change) if is_comparable else ()
    actions, cable_list = grouped(planned), cable_groups(cables, laid | wanted)
    return Consequences(
        region=plan.region,
        is_first=not any(layers.values()),
        actions=actions,
        hand_work=work,
        gone=tuple(_gone(before, plan)),
        domains=domain_effects(change, before),
        nodes=node_change(change, planned),
        tenants=tenants,
        services=services,
        power=power,
        cables=cable_list,
        spares=spares(plan),
        not_received=not_received(plan),
        duration=duration(planned, change, power, plan, costs),
        rollback=rollback(actions, work, cable_list, tenants, services),
        notes=(*notes, *_notes(is_comparable=is_comparable)),
        cost=_cost(before, plan) if is_comparable else None,
        digest=_digest(planned, cables, work, power, tenants, services),
    )


def _cost(old: RegionPlan | None, new: RegionPlan) -> CostChange:
    return cost_change(region_forecast(old) if old else None, region_forecast(new))


def _gone(old: RegionPlan | None, new: RegionPlan) -> Iterator[GoneRack]:
    """Racks of the old plan that the new one lacks, in their order."""
    kept = {rack.name for rack in new.racks}
    racks = {rack.name: rack for rack in old.racks} if old else {}
    for place in old.topology.racks if old else ():
        rack = racks.get(place.rack)
        if rack and place.rack not in kept:
            yield GoneRack(
                rack=place.rack,
                profile=rack.profile,
                hall=place.hall,
                row=place.row,
                position=place.position,
                trays=len(rack.hosts),
            )


def _notes(*, is_comparable: bool) -> Iterator[str]:
    if not is_comparable:
        yield "the description that was applied last is not recorded: cables, power and tenants are not compared"


def action_lines(planned: Sequence[Planned]) -> list[str]:
    """Every action in one line each, as it is approved: layer, resource, kind, device, reason."""
    return [f"{p.layer} {p.resource} {p.action.kind} {p.action.target}: {p.action.reason}" for p in planned]


def _digest(
    planned: Sequence[Planned],
    cables: Sequence[tuple[CableWork, Run, Run | None]],
    work: Sequence[HandWork],
    power: PowerChange | None,
    tenants: Sequence[TenantEffect],
    services: Sequence[ServiceEffect],
) -> str:
    """Of all that is done, device by device; not of estimates, and not of how it is shown."""
    content = {
        "actions": [
            [
                p.layer,
                p.resource,
                p.action.kind,
                p.action.target,
                p.action.reason,
                p.danger,
                p.action.disrupts,
                p.action.details,
            ]
            for p in planned
        ],
        "cables": cables,
        "work": [asdict(each) for each in work],
        "power": asdict(power) if power else None,
        "tenants": [[t.namespace, t.change] for t in tenants],
        "services": [[s.service, s.change] for s in services],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
