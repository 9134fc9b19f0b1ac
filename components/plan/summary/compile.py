"""From a plan to its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.plan.model import RegionPlan, TrayRole
from components.plan.power import RowPower
from components.plan.summary.model import (
    ClusterLine,
    HallLine,
    IslandLine,
    Numbers,
    PowerLine,
    ProfileLine,
    Summary,
)
from components.plan.summary.networks import network_lines
from components.words import count


def summary(plan: RegionPlan) -> Summary:
    """The summary of a plan."""
    return Summary(
        region=plan.region,
        domain=plan.domain,
        site=plan.site.name,
        country=plan.site.country,
        provisional=plan.site.provisional,
        numbers=_numbers(plan),
        halls=tuple(_halls(plan)),
        profiles=tuple(_profiles(plan)),
        islands=tuple(_islands(plan)),
        clusters=tuple(_clusters(plan)),
        power=tuple(_power(plan)),
        networks=tuple(network_lines(plan)),
        gateway_address=plan.runtime.gateway_vip,
    )


def _numbers(plan: RegionPlan) -> Numbers:
    hosts, places = plan.hosts, plan.topology.racks
    spares = sum(host.role is TrayRole.SPARE for host in hosts)
    gpus = sum(place.gpus for place in places)
    return Numbers(
        gpus=gpus,
        serving_gpus=gpus - sum(place.spare_gpus for place in places),
        racks=len(plan.racks),
        trays=len(hosts),
        spare_trays=spares,
        received_trays=sum(host.is_received for host in hosts),
        nvlink_domains=sum(place.nvlink_domain is not None for place in places),
        units=len(plan.topology.units),
        islands=len(plan.topology.islands),
        nodes=len(hosts) - spares,
    )


def _halls(plan: RegionPlan) -> Iterator[HallLine]:
    for hall in plan.site.halls:
        places = [place for place in plan.topology.racks if place.hall == hall.name]
        yield HallLine(
            name=hall.name,
            rows=hall.rows,
            racks_per_row=hall.racks_per_row,
            racks=len(places),
            free=hall.rows * hall.racks_per_row - len(places),
            gpus=sum(place.gpus for place in places),
            units=tuple(sorted({place.unit for place in places})),
            islands=tuple(sorted({place.island for place in places})),
        )


def _profiles(plan: RegionPlan) -> Iterator[ProfileLine]:
    for profile in plan.site.profiles:
        hosts = [host for rack in plan.racks if rack.profile == profile.name for host in rack.hosts]
        yield ProfileLine(
            profile=profile.name,
            gpu_model=" and ".join(dict.fromkeys(host.gpu_model for host in hosts)),
            racks=sum(rack.profile == profile.name for rack in plan.racks),
            trays=len(hosts),
            spare_trays=sum(host.role is TrayRole.SPARE for host in hosts),
            gpus=sum(host.gpus for host in hosts),
            planned_kw=profile.planned_kw,
        )


def _islands(plan: RegionPlan) -> Iterator[IslandLine]:
    for number in plan.topology.islands:
        places = [place for place in plan.topology.racks if place.island == number]
        yield IslandLine(
            number=number,
            units=len({place.unit for place in places}),
            design_units=plan.topology.island_units,
            racks=len(places),
            gpus=sum(place.gpus for place in places),
        )


def _clusters(plan: RegionPlan) -> Iterator[ClusterLine]:
    gpus: Counter[int] = Counter()
    for place in plan.topology.racks:
        gpus[place.cluster] += place.gpus - place.spare_gpus
    for cut in plan.topology.clusters:
        yield ClusterLine(
            name=cut.name,
            kubernetes=plan.cluster.kubernetes_version,
            racks=len(cut.racks),
            nodes=cut.nodes,
            gpus=gpus[cut.number],
        )


def _standing(row: RowPower) -> str:
    """`16 racks and 8 of switches`."""
    if not row.racks:
        return f"{count(len(row.switch_racks), 'rack')} of switches"
    return count(len(row.racks), "rack") + (f" and {len(row.switch_racks)} of switches" if row.switch_racks else "")


def _power(plan: RegionPlan) -> Iterator[PowerLine]:
    power = plan.power
    yield PowerLine(
        level="site",
        name=plan.site.name,
        kw=power.facility_kw,
        budget_kw=power.site_kw,
        note=f"{power.it_kw:,.0f} kW {power.planning}, PUE {power.pue:g}",
    )
    for feed in power.feeds:
        yield PowerLine(level="feed", name=feed.feed, kw=feed.facility_kw, budget_kw=feed.budget_kw)
        for row in feed.rows:
            yield PowerLine(
                level="row",
                name=row.name,
                kw=row.draw.by(power.planning),
                budget_kw=row.budget_kw,
                note=_standing(row),
            )
