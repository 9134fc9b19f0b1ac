"""Switches outside the racks of machines: which stand together, what they draw, and the racks that hold them.

A description says where racks of machines stand. Of switches this is assumed, for power as for the length of
cables: those of a scalable unit stand at the head of the row that the unit's first rack id counts to; all others
in the network room of a hall. Rooms hang on the feeds by turns of their halls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.spec.catalogue.switch import SwitchProfile
from components.spec.compute_oob import compute_oob, gathering_switches, units_and_islands
from components.spec.derive import counted_place
from components.spec.oob_layout import SWITCHES_PER_RACK
from components.spec.power import Power
from components.spec.region import Region
from components.spec.site import Site

SWITCH_RACK_U = 42
"""Rack units of a rack of switches."""

ROOM = 0
"""Stands for the number of a row: the network room of a hall."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchGroup:
    """Switches that stand together."""

    name: str
    """`u01` of a scalable unit, `i1` of an island, the hall's of all else in its network room."""
    unit: int | None
    """Scalable unit; None in a network room."""
    hall: str
    row: int
    """In the hall; ROOM for its network room."""
    switches: tuple[tuple[SwitchProfile, int], ...]
    """Kinds that draw, and how many of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchRack:
    """One rack of switches."""

    name: str
    """`essonne-net-u01-1`."""
    group: SwitchGroup
    switches: tuple[tuple[str, int], ...]
    """Model and count."""
    units_u: int
    max_kw: float
    typical_kw: float


def switch_groups(region: Region) -> Iterator[SwitchGroup]:
    """All of a region that draw power outside the racks of machines, each once."""
    site, size = region.site, region.scalable_unit.racks
    for unit, counts in sorted(_by_unit(region).items()):
        place = counted_place(site, (unit - 1) * size + 1)
        hall, row = (place.hall, place.row) if place else (site.halls[0].name, 1)
        yield from _group(f"u{unit:02d}", unit, hall, row, counts, region)
    rooms: dict[tuple[str, str], Counter[str]] = {}
    for island, first, counts in _in_rooms(region):
        place = counted_place(site, first)
        hall = place.hall if place else site.halls[0].name
        rooms.setdefault((hall, island or hall), Counter()).update(counts)
    for (hall, name), counts in rooms.items():
        yield from _group(name, None, hall, ROOM, counts, region)


def _group(
    name: str, unit: int | None, hall: str, row: int, counts: Counter[str], region: Region
) -> Iterator[SwitchGroup]:
    known = ((region.catalogue.switch(model), count) for model, count in counts.items())
    drawing = tuple((switch, count) for switch, count in known if switch and switch.power_kw is not None and count)
    if drawing:
        yield SwitchGroup(name=name, unit=unit, hall=hall, row=row, switches=drawing)


def _by_unit(region: Region) -> dict[int, Counter[str]]:
    """Unit -> switches of each kind that are built with it."""
    size = region.scalable_unit.racks
    first: dict[str, int] = {}
    for rack in region.racks:
        for leaf in rack.leaves:
            first[leaf] = min(rack.id, first.get(leaf, rack.id))
    found: dict[int, Counter[str]] = {}
    for rack_id in first.values():
        found.setdefault((rack_id - 1) // size + 1, Counter())[region.fabric.switch] += 1
    oob = compute_oob(region)
    if oob and region.compute and region.oob:
        for unit in units_and_islands(region, oob)[0]:
            counts = found.setdefault(unit, Counter())
            counts[region.compute.switch] += oob.unit_switches
            counts[region.oob.switch] += oob.unit_access
    return found


def _in_rooms(region: Region) -> Iterator[tuple[str, int, Counter[str]]]:
    """Name of an island, the first rack id that is served, and the switches; no name for what is the region's."""
    hosts = {leaf for rack in region.racks for leaf in rack.leaves}
    leading = sum(leaf.name not in hosts for leaf in region.fabric.leaves)
    yield "", 1, Counter({region.fabric.switch: len(region.fabric.spines) + leading})
    oob, gathers = compute_oob(region), region.catalogue.switch(region.oob.switch) if region.oob else None
    if oob and region.compute and region.oob:
        yield "", 1, Counter({region.oob.switch: gathering_switches(region, oob)})
        for island in units_and_islands(region, oob)[1]:
            first = (island - 1) * oob.shape.island_units * oob.shape.unit_racks + 1
            counts = {region.compute.switch: oob.island_switches, region.oob.switch: oob.island_access}
            yield f"i{island}", first, Counter(counts)
    if region.oob and gathers:
        for n in range(region.oob.aggregation):
            yield "", n // SWITCHES_PER_RACK * gathers.ports + 1, Counter({region.oob.switch: 1})


def room_feed(site: Site, hall: str, power: Power) -> int:
    """Index of the feed that the network room of a hall hangs on."""
    return next((n for n, each in enumerate(site.halls) if each.name == hall), 0) % len(power.feeds)


def switch_racks(region: Region, groups: Iterable[SwitchGroup]) -> Iterator[SwitchRack]:
    """The racks of each group, filled in turn: as high as they are, and as much as their tap-off carries.

    No rack holds switches of two groups, so that a switch that comes moves none of another group.
    """
    for group in groups:
        racks = list(_filled(group, region.power.switch_rack_kw))
        for number, members in enumerate(racks, start=1):
            counts = Counter(switch.switch for switch in members)
            yield SwitchRack(
                name=f"{region.region}-net-{group.name}-{number}",
                group=group,
                switches=tuple(counts.items()),
                units_u=sum(switch.units_u or 1 for switch in members),
                max_kw=round(sum(switch.power_kw or 0.0 for switch in members), 3),
                typical_kw=round(sum(switch.typical_kw or switch.power_kw or 0.0 for switch in members), 3),
            )


def _filled(group: SwitchGroup, limit_kw: float) -> Iterator[list[SwitchProfile]]:
    members: list[SwitchProfile] = []
    height, draw = 0, 0.0
    for switch, count in group.switches:
        units, kw = switch.units_u or 1, switch.power_kw or 0.0
        for _ in range(count):
            if members and (height + units > SWITCH_RACK_U or round(draw + kw, 3) > limit_kw):
                yield members
                members, height, draw = [], 0, 0.0
            members.append(switch)
            height, draw = height + units, draw + kw
    if members:
        yield members
