"""From racks and their places to the tree of power."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from components.plan.power.energise import energise
from components.plan.power.model import FeedPower, PowerPlan, RackPower, RowPower, SupplyPlan
from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.rack import RackProfile
from components.spec.draw import RackDraw, rack_draws, surviving_kw, total
from components.spec.region import Region

HOURS_A_YEAR = 8760


def compile_power(region: Region) -> PowerPlan:
    """The plan of a region whose rules hold."""
    power = region.power
    draws = sorted(rack_draws(region), key=lambda each: each.rack.id)
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    feeds = tuple(_feeds(region, draws, profiles))
    draw = total(each.draw for each in draws)
    it = draw.by(power.planning)
    facility = round(it * power.pue, 3)
    gpus = sum(len(rack.trays) * profiles[rack.profile].tray.gpus for rack in region.racks)
    return PowerPlan(
        site_kw=power.site_kw,
        planning=power.planning.value,
        pue=power.pue,
        draw=draw,
        it_kw=it,
        facility_kw=facility,
        spare_feeds=power.spare_feeds,
        surviving_kw=surviving_kw(power),
        feeds=feeds,
        steps=energise(region, draws),
        eur_per_hour=round(facility / 1000 * power.price_eur_mwh, 2),
        eur_per_year=round(facility / 1000 * power.price_eur_mwh * HOURS_A_YEAR, 0),
        gpus=gpus,
        kw_per_gpu=round(facility / gpus, 3) if gpus else None,
        not_counted=tuple(_not_counted(region)),
    )


def _feeds(region: Region, draws: list[RackDraw], profiles: Mapping[str, RackProfile]) -> Iterator[FeedPower]:
    rows: dict[int, dict[int, list[RackDraw]]] = defaultdict(lambda: defaultdict(list))
    for each in draws:
        rows[each.feed][each.row].append(each)
    for number, feed in enumerate(region.power.feeds):
        members = tuple(_row(region, rows[number][row], profiles) for row in sorted(rows[number]))
        draw = total(row.draw for row in members)
        yield FeedPower(
            feed=feed.name,
            draw=draw,
            facility_kw=round(draw.by(region.power.planning) * region.power.pue, 3),
            budget_kw=feed.kw,
            rows=members,
        )


def _row(region: Region, members: list[RackDraw], profiles: Mapping[str, RackProfile]) -> RowPower:
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
    place = members[0].place
    return RowPower(
        hall=place.hall,
        row=place.row,
        draw=total(rack.draw for rack in racks),
        budget_kw=region.power.row_kw,
        racks=racks,
    )


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


def _not_counted(region: Region) -> Iterator[str]:
    """Switches stand outside the racks' figures; storage and cooling units are no part of a description."""
    networks = [("in-band", region.fabric.switch)]
    networks += [("compute", region.compute.switch)] if region.compute else []
    networks += [("out-of-band", region.oob.switch)] if region.oob else []
    for network, model in networks:
        switch = region.catalogue.switch(model)
        if switch and not switch.simulated:
            known = f"{switch.power_kw:g} kW each" if switch.power_kw is not None else "draw not in the catalogue"
            yield f"{network} switches {model}: {known}"
