"""From racks, switches and their places to the tree of power."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from components.plan.power.energise import energise
from components.plan.power.model import CapPlan, FeedPower, PowerPlan, RackPower, RowPower, SupplyPlan, SwitchRackPower
from components.spec.caps import gpu_limit_watts
from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.derive import planned_kw
from components.spec.catalogue.rack import RackProfile
from components.spec.draw import Draw, RackDraw, group_feed, rack_draws, surviving_kw, total
from components.spec.region import Region
from components.spec.switch_racks import SwitchRack, switch_groups, switch_racks

HOURS_A_YEAR = 8760

NOT_COUNTED = ("storage, which is no part of a description",)
"""In regions of real hardware."""


def compile_power(region: Region) -> PowerPlan:
    """The plan of a region whose rules hold."""
    power = region.power
    draws = sorted(rack_draws(region), key=lambda each: each.rack.id)
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    switches = tuple(switch_racks(region, switch_groups(region)))
    feeds = tuple(_feeds(region, draws, switches, profiles))
    draw = total(feed.draw for feed in feeds)
    it = draw.held(power.planning)
    facility = round(it * power.pue, 3)
    gpus = sum(len(rack.trays) * profiles[rack.profile].tray.gpus for rack in region.racks)
    is_real = any(not profiles[rack.profile].simulated for rack in region.racks)
    return PowerPlan(
        site_kw=power.site_kw,
        planning=power.planning,
        pue=power.pue,
        caps=tuple(_caps(region, profiles)),
        draw=draw,
        it_kw=it,
        switches_kw=round(sum(rack.max_kw for rack in switches), 3),
        switches_typical_kw=round(sum(rack.typical_kw for rack in switches), 3),
        facility_kw=facility,
        spare_feeds=power.spare_feeds,
        surviving_kw=surviving_kw(power),
        feeds=feeds,
        steps=energise(region, draws, switches),
        eur_per_hour=round(facility / 1000 * power.price_eur_mwh, 2),
        eur_per_year=round(facility / 1000 * power.price_eur_mwh * HOURS_A_YEAR, 0),
        gpus=gpus,
        kw_per_gpu=round(facility / gpus, 3) if gpus else None,
        not_counted=NOT_COUNTED if is_real else (),
    )


def _caps(region: Region, profiles: Mapping[str, RackProfile]) -> Iterator[CapPlan]:
    for name, cap in sorted(region.power.caps.items()):
        profile = profiles[name]
        planned = planned_kw(profile, profile.slots)
        limit = gpu_limit_watts(profile, planned, cap, profile.gpus) if planned is not None else None
        if planned is None or limit is None or profile.tray.gpu_watts is None:
            raise ValueError(f"nothing can hold the cap of {name}")
        yield CapPlan(
            profile=name,
            racks=sum(rack.profile == name for rack in region.racks),
            planned_kw=planned,
            cap_kw=cap,
            gpus=profile.gpus,
            gpu_watts=profile.tray.gpu_watts,
            gpu_limit_watts=limit,
        )


def _feeds(
    region: Region, draws: Sequence[RackDraw], switches: Sequence[SwitchRack], profiles: Mapping[str, RackProfile]
) -> Iterator[FeedPower]:
    order = {hall.name: number for number, hall in enumerate(region.site.halls)}
    racks: dict[tuple[int, str, int], list[RackDraw]] = defaultdict(list)
    beside: dict[tuple[int, str, int], list[SwitchRack]] = defaultdict(list)
    for each in draws:
        racks[each.feed, each.place.hall, each.place.row].append(each)
    for each in switches:
        beside[group_feed(region, each.group), each.group.hall, each.group.row].append(each)
    # Rows by their halls, and the network room after the rows of its hall.
    rows = sorted({*racks, *beside}, key=lambda key: (key[0], order[key[1]], key[2] or len(draws) + 1))
    for number, feed in enumerate(region.power.feeds):
        members = tuple(
            _row(region, (hall, row), racks[at, hall, row], beside[at, hall, row], profiles)
            for at, hall, row in rows
            if at == number
        )
        draw = total(row.draw for row in members)
        yield FeedPower(
            feed=feed.name,
            draw=draw,
            facility_kw=round(draw.held(region.power.planning) * region.power.pue, 3),
            budget_kw=feed.kw,
            rows=members,
        )


def _row(
    region: Region,
    place: tuple[str, int],
    members: Sequence[RackDraw],
    switches: Sequence[SwitchRack],
    profiles: Mapping[str, RackProfile],
) -> RowPower:
    racks = tuple(
        RackPower(
            rack=each.rack.name,
            position=each.place.position,
            trays=len(each.rack.trays),
            gpus=len(each.rack.trays) * profiles[each.rack.profile].tray.gpus,
            draw=each.draw,
            tap_kw=region.power.pdu_kw,
            supply=_supply(profiles[each.rack.profile], region.catalogue),
        )
        for each in sorted(members, key=lambda each: each.place.position)
    )
    beside = tuple(
        SwitchRackPower(
            rack=each.name,
            unit=each.group.unit,
            switches=each.switches,
            units_u=each.units_u,
            draw=_draw(each),
            typical_kw=each.typical_kw,
            tap_kw=region.power.switch_rack_kw,
        )
        for each in switches
    )
    return RowPower(
        hall=place[0],
        row=place[1],
        draw=total(each.draw for each in (*racks, *beside)),
        budget_kw=region.power.row_kw,
        racks=racks,
        switch_racks=beside,
    )


def _draw(rack: SwitchRack) -> Draw:
    kw = rack.max_kw
    return Draw(nameplate_kw=kw, planned_kw=kw, held_kw=kw, idle_kw=None, inrush_kw=kw)


def _supply(profile: RackProfile, catalogue: Catalogue) -> SupplyPlan | None:
    fitted = profile.power_shelves or profile.pdus
    unit = catalogue.power_unit(fitted.model) if fitted else None
    if fitted is None or unit is None:
        return None
    return SupplyPlan(
        kind=unit.kind,
        model=unit.power_unit,
        count=fitted.count,
        kw=unit.kw,
        left_kw=round((fitted.count - 1) * unit.kw, 3),
    )
