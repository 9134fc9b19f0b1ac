"""What happens to hosts, to the cluster's nodes and to NVLink domains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from components.plan.actions import ActionKind
from components.plan.budgets import DESTRUCTIVE_PER_RACK
from components.plan.consequences.impact import DomainEffect, NodeChange, NotReceived, SpareGroup, Spares
from components.plan.consequences.names import fold
from components.plan.consequences.planned import Planned
from components.plan.consequences.snapshot import RACK, Layers
from components.plan.model import HostPlan, RegionPlan, TrayRole


@dataclass(frozen=True)
class HostChange:
    """Hosts by what becomes of them. A host is a tray that runs; spares are none."""

    planned: tuple[Planned, ...]
    in_service: Mapping[str, str]
    """Host -> rack, before the change."""

    @cached_property
    def ending(self) -> frozenset[str]:
        """Hosts in service that end, for good or to be made anew."""
        return self._targets(ActionKind.UNDEPLOY) & self.in_service.keys()

    @cached_property
    def starting(self) -> frozenset[str]:
        """Hosts that are deployed."""
        return self._targets(ActionKind.DEPLOY)

    def away(self, of: Set[str]) -> dict[str, int]:
        """Rack -> hosts among these that are away at one time, at the most."""
        rolling, gone = self._by_rack(self.ending & self.starting & of), self.gone(of)
        return {
            # the engine's budget holds the others of the rack back
            rack: min(rolling.get(rack, 0), DESTRUCTIVE_PER_RACK) + gone.get(rack, 0)
            for rack in {**rolling, **gone}
        }

    def gone(self, of: Set[str]) -> dict[str, int]:
        """Rack -> hosts among these that do not come back."""
        return self._by_rack((self.ending - self.starting) & of)

    def _targets(self, kind: ActionKind) -> frozenset[str]:
        return frozenset(p.action.target for p in self.planned if p.action.kind is kind)

    def _by_rack(self, hosts: Iterable[str]) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for host in hosts:
            counts[self.in_service[host]] += 1
        return dict(counts)


def host_change(old: Layers | None, planned: Iterable[Planned]) -> HostChange:
    """From the recorded racks and what is done to them."""
    racks = [(name, r.inputs) for name, r in (old or {}).get("substrate", {}).items() if r.token == RACK]
    in_service = {
        tray: rack for rack, inputs in racks for tray, t in inputs["trays"].items() if t.get("desired") == "active"
    }
    return HostChange(tuple(planned), in_service)


def node_change(change: HostChange, planned: Iterable[Planned]) -> NodeChange:
    """What the cluster sees of it."""
    back, leaving = change.ending & change.starting, change.ending - change.starting
    joining = change.starting - change.ending
    is_worked_on = any(p.action.kind is ActionKind.RUN_PLAYBOOK and p.effects for p in planned)
    restarted = change.in_service.keys() - change.ending if is_worked_on else frozenset[str]()
    return NodeChange(
        leaving_and_back=fold(back),
        leaving=fold(leaving),
        joining=fold(joining),
        restarted=fold(restarted),
        leaving_and_back_count=len(back),
        leaving_count=len(leaving),
        joining_count=len(joining),
        restarted_count=len(restarted),
        at_one_time=sum(change.away(change.in_service.keys()).values()),
    )


def domain_effects(change: HostChange, old: RegionPlan | None) -> tuple[DomainEffect, ...]:
    """NVLink domains that lose trays: jobs that span such a domain end."""
    if old is None:
        return ()
    a_tray = {rack.name: rack.hardware.gpus for rack in old.racks}
    away, gone = change.away(change.in_service.keys()), change.gone(change.in_service.keys())
    groups: dict[tuple[int, int, bool], list[str]] = defaultdict(list)
    for place in old.topology.racks:
        if place.nvlink_domain and (hosts := away.get(place.rack)):
            groups[(place.gpus, hosts * a_tray[place.rack], place.rack in gone)].append(place.nvlink_domain)
    return tuple(
        DomainEffect(domains=fold(names), count=len(names), gpus=gpus, gpus_away=away, is_for_good=for_good)
        for (gpus, away, for_good), names in sorted(groups.items(), key=lambda item: (-item[0][1], item[1]))
    )


def spares(plan: RegionPlan) -> Spares:
    """What is held back once the change is done."""
    groups: dict[tuple[int, int, int], list[str]] = defaultdict(list)
    domain = {place.rack: place.nvlink_domain for place in plan.topology.racks}
    for rack in plan.racks:
        there = [host for host in rack.hosts if host.is_received]
        held = [host for host in there if host.role is TrayRole.SPARE]
        if there and any(host.gpus for host in there):
            key = (len(there), len(held), sum(host.gpus for host in held))
            groups[key].append(domain[rack.name] or rack.name)
    listed = tuple(
        SpareGroup(domains=fold(names), count=len(names), trays=trays, spare_trays=held, spare_gpus=gpus)
        for (trays, held, gpus), names in sorted(groups.items(), key=lambda item: (item[0][1], item[1]))
    )
    return Spares(
        region_trays=sum(group.count * group.spare_trays for group in listed),
        region_gpus=sum(group.count * group.spare_gpus for group in listed),
        groups=listed,
    )


def not_received(plan: RegionPlan) -> NotReceived:
    """Described, and not there."""
    missing = [host.name for host in plan.hosts if not host.is_received]
    return NotReceived(count=len(missing), trays=fold(missing))


def gpus_in_service(plan: RegionPlan | None) -> int:
    """GPUs of workers that run; tenants' pods go nowhere else."""
    return sum(host.gpus for host in _workers(plan))


def gpus_away(change: HostChange, plan: RegionPlan | None) -> int:
    """GPUs of workers that are away at one time, at the most."""
    workers = {host.name: host for host in _workers(plan)}
    a_tray = {host.rack: host.gpus for host in workers.values()}
    return sum(hosts * a_tray[rack] for rack, hosts in change.away(workers.keys()).items())


def _workers(plan: RegionPlan | None) -> Iterable[HostPlan]:
    hosts = plan.deployed_hosts if plan else ()
    return (host for host in hosts if host.is_received and host.role is TrayRole.GPU_WORKER)
