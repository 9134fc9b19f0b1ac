"""Rules on racks: that the numbers of their parts agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.check import check
from components.spec.catalogue.derive import elevation, oob_ports
from components.spec.catalogue.rack import Occupant
from components.spec.fault import Fault, unknown


@check("catalogue-reference")
def parts_exist(catalogue: Catalogue) -> Iterator[Fault]:
    """Every item that a rack profile is built from is in the catalogue."""
    shelves = [unit.power_unit for unit in catalogue.power_units if unit.kind == "shelf"]
    strips = [unit.power_unit for unit in catalogue.power_units if unit.kind == "pdu"]
    switches = [switch.switch for switch in catalogue.switches]
    baselines = [baseline.baseline for baseline in catalogue.baselines]
    for index, rack in enumerate(catalogue.racks):
        at = ("catalogue", "racks", index)
        for key, fitted, what, known, folder in (
            ("power_shelves", rack.power_shelves, "power shelf", shelves, "power"),
            ("pdus", rack.pdus, "PDU", strips, "power"),
            ("oob_switches", rack.oob_switches, "switch", switches, "switches"),
        ):
            if fitted and fitted.model not in known:
                yield unknown((*at, key, "model"), what, fitted.model, known, f"the catalogue's {folder}/")
        if rack.firmware and rack.firmware not in baselines:
            yield unknown((*at, "firmware"), "firmware baseline", rack.firmware, baselines, "the catalogue's firmware/")
        if rack.bring_up and catalogue.bring_up(rack.bring_up) is None:
            known = [each.bring_up for each in catalogue.bring_ups]
            yield unknown((*at, "bring_up"), "bring-up", rack.bring_up, known, "the catalogue's bring_up/")


@check("nvlink-domain-size", partial=True)
def domains_are_racks(catalogue: Catalogue) -> Iterator[Fault]:
    """An NVLink domain is all GPUs of the rack."""
    for index, rack in enumerate(catalogue.racks):
        if rack.nvlink and rack.nvlink.gpus_per_domain != rack.gpus:
            yield Fault(
                at=("catalogue", "racks", index, "nvlink", "gpus_per_domain"),
                message=f"the NVLink domain of {rack.profile} is not its {rack.slots} trays x {rack.tray.gpus} GPUs",
                found=str(rack.nvlink.gpus_per_domain),
                allowed=str(rack.gpus),
                remedy="correct the slots, the GPUs or the domain",
            )


@check("rack-power-order", partial=True)
def power_is_ordered(catalogue: Catalogue) -> Iterator[Fault]:
    """A rack draws least without work, more as planned, and at most its nameplate."""
    for index, rack in enumerate(catalogue.racks):
        if rack.power is None:
            continue
        known = [
            (key, kw)
            for key in ("idle_kw", "typical_kw", "planned_kw", "nameplate_kw")
            if (kw := getattr(rack.power, key)) is not None
        ]
        for (below, low), (above, high) in pairwise(known):
            if low > high:
                yield Fault(
                    at=("catalogue", "racks", index, "power", below),
                    message=f"{below} of {rack.profile} is more than its {above}",
                    found=f"{low:g} kW",
                    allowed=f"at most {high:g} kW",
                    remedy="correct one of them",
                )


@check("shelf-capacity")
def shelves_carry_the_rack(catalogue: Catalogue) -> Iterator[Fault]:
    """The power shelves of a rack give at least its nameplate, with one of them lost."""
    for index, rack in enumerate(catalogue.racks):
        unit = catalogue.power_unit(rack.power_shelves.model) if rack.power_shelves else None
        if rack.power_shelves is None or unit is None or rack.power is None or rack.power.nameplate_kw is None:
            continue
        left = (rack.power_shelves.count - 1) * unit.kw
        if left < rack.power.nameplate_kw:
            yield Fault(
                at=("catalogue", "racks", index, "power_shelves", "count"),
                message=f"{rack.profile} may draw {rack.power.nameplate_kw:g} kW, and with one shelf lost"
                f" {rack.power_shelves.count - 1} x {unit.kw:g} kW = {left:g} kW are left",
                found=str(rack.power_shelves.count),
                remedy="correct the shelves or the rack's power",
            )


@check("oob-switch-ports")
def oob_switches_have_ports(catalogue: Catalogue) -> Iterator[Fault]:
    """All that is managed in a rack has a port on the rack's own out-of-band switches."""
    for index, rack in enumerate(catalogue.racks):
        switch = catalogue.switch(rack.oob_switches.model) if rack.oob_switches else None
        if rack.oob_switches is None or switch is None:
            continue
        ports = rack.oob_switches.count * switch.ports
        if oob_ports(rack) > ports:
            yield Fault(
                at=("catalogue", "racks", index, "oob_switches"),
                message=f"a rack of {rack.profile} has {oob_ports(rack)} management ports to plug in",
                found=f"{rack.oob_switches.count} x {switch.ports} = {ports}",
                allowed=f"at least {oob_ports(rack)}",
                remedy="add a switch",
            )


@check("elevation-overlap", partial=True)
def units_are_taken_once(catalogue: Catalogue) -> Iterator[Fault]:
    """In the drawing of a rack, each unit is taken once and is inside the rack."""
    for index, rack in enumerate(catalogue.racks):
        at = ("catalogue", "racks", index, "elevation")
        places = elevation(rack)
        for below, above in pairwise(places):
            if below.unit + below.height_u > above.unit:
                yield Fault(
                    at=at,
                    message=f"two things of {rack.profile} stand in rack unit {above.unit}",
                    found=f"{below.what} {below.number} and {above.what} {above.number}",
                    remedy="move one of them",
                )
        top = places[-1] if places else None
        if top and rack.units_u is not None and top.unit + top.height_u - 1 > rack.units_u:
            yield Fault(
                at=at,
                message=f"{top.what} {top.number} of {rack.profile} stands above the top",
                found=f"unit {top.unit}",
                allowed=f"1 to {rack.units_u}",
                remedy="move it down",
            )


@check("elevation-count", partial=True)
def drawings_are_whole(catalogue: Catalogue) -> Iterator[Fault]:
    """A drawing shows exactly what the rack has; PDUs may hang beside the units."""
    for index, rack in enumerate(catalogue.racks):
        if not rack.elevation:
            continue
        drawn = [place.what for place in elevation(rack)]
        has: tuple[tuple[Occupant, int], ...] = (
            ("compute", rack.slots),
            ("nvlink", rack.nvlink.switch_trays if rack.nvlink else 0),
            ("power-shelf", rack.power_shelves.count if rack.power_shelves else 0),
            ("oob-switch", rack.oob_switches.count if rack.oob_switches else 0),
        )
        for what, count in has:
            if drawn.count(what) != count:
                yield Fault(
                    at=("catalogue", "racks", index, "elevation"),
                    message=f"the drawing of {rack.profile} does not show what the rack has: {what}",
                    found=str(drawn.count(what)),
                    allowed=str(count),
                    remedy="correct the drawing",
                )


CHECKS = (
    parts_exist,
    domains_are_racks,
    power_is_ordered,
    shelves_carry_the_rack,
    oob_switches_have_ports,
    units_are_taken_once,
    drawings_are_whole,
)
