"""What racks and switches draw, and what each level above them carries: the sums behind the rules and the plan of
power."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.derive import planned_kw
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.switch import SwitchProfile
from components.spec.derive import place_of
from components.spec.power import Planning, Power
from components.spec.rack import Place, Rack
from components.spec.region import Region
from components.spec.site import Site
from components.spec.switch_racks import ROOM, SwitchGroup, room_feed, switch_groups


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """Electric power of some racks or switches, kW, without the cooling of the hall."""

    nameplate_kw: float = 0.0
    """The most it can ever be."""
    planned_kw: float = 0.0
    """At full load in service, nothing held back."""
    held_kw: float = 0.0
    """The same where caps hold it: never more."""
    idle_kw: float | None = 0.0
    """Without work; None where a profile does not say."""
    inrush_kw: float = 0.0
    """Peak while it is switched on; the nameplate where a profile does not say."""

    def by(self, planning: Planning) -> float:
        """The figure that rows count: a breaker knows nothing of caps."""
        return self.nameplate_kw if planning is Planning.NAMEPLATE else self.planned_kw

    def held(self, planning: Planning) -> float:
        """The figure that site and feeds count."""
        return self.nameplate_kw if planning is Planning.NAMEPLATE else self.held_kw

    def __add__(self, other: Draw) -> Draw:
        idle = None if self.idle_kw is None or other.idle_kw is None else round(self.idle_kw + other.idle_kw, 3)
        return Draw(
            nameplate_kw=round(self.nameplate_kw + other.nameplate_kw, 3),
            planned_kw=round(self.planned_kw + other.planned_kw, 3),
            held_kw=round(self.held_kw + other.held_kw, 3),
            idle_kw=idle,
            inrush_kw=round(self.inrush_kw + other.inrush_kw, 3),
        )

    def times(self, count: int) -> Draw:
        """So many of them."""
        return Draw(
            nameplate_kw=round(self.nameplate_kw * count, 3),
            planned_kw=round(self.planned_kw * count, 3),
            held_kw=round(self.held_kw * count, 3),
            idle_kw=None if self.idle_kw is None else round(self.idle_kw * count, 3),
            inrush_kw=round(self.inrush_kw * count, 3),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RackDraw:
    """A rack on the tree of power."""

    index: int
    """In `region.racks`."""
    rack: Rack
    place: Place
    row: int
    """Number of its row over all halls, from 1."""
    feed: int
    """Index of the feed that its row hangs on."""
    draw: Draw


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Things that are alike, and hang on one row or in one network room."""

    what: str
    """Rack profile, or kind of switch."""
    each: Draw
    count: int
    hall: str
    row: int
    """In the hall; ROOM for its network room."""
    feed: int
    rack: Rack | None
    """None for switches."""


def draw_of(profile: RackProfile, trays: int, catalogue: Catalogue, cap_kw: float | None = None) -> Draw | None:
    """Of one rack with so many trays; None where the profile does not say.

    Where trays are servers of their own, the rack draws by the tray, and its out-of-band switches beside them;
    a rack with a busbar and NVLink switches draws as a whole.
    """
    power = profile.power
    planned = planned_kw(profile, trays)
    if power is None or (planned is None and power.nameplate_kw is None):
        return None
    part = trays / profile.slots if power.tray_kw is not None else 1.0
    beside = _beside(profile, catalogue) if power.tray_kw is not None else 0.0
    nameplate = (power.nameplate_kw * part if power.nameplate_kw is not None else planned or 0.0) + beside
    inrush = power.inrush_kw * part + beside if power.inrush_kw is not None else nameplate
    planned = nameplate if planned is None else planned + beside
    return Draw(
        nameplate_kw=round(nameplate, 3),
        planned_kw=round(planned, 3),
        held_kw=round(planned if cap_kw is None else min(planned, cap_kw), 3),
        idle_kw=None if power.idle_kw is None else round(power.idle_kw * part, 3),
        inrush_kw=round(inrush, 3),
    )


def switch_draw(switch: SwitchProfile) -> Draw:
    """Of one switch: its most, in every way of planning; nothing where its kind has no figure, which a rule reports."""
    kw = switch.power_kw or 0.0
    return Draw(nameplate_kw=kw, planned_kw=kw, held_kw=kw, idle_kw=None, inrush_kw=kw)


def _beside(profile: RackProfile, catalogue: Catalogue) -> float:
    """Of the out-of-band switches in a rack of servers."""
    fitted = profile.oob_switches
    switch = catalogue.switch(fitted.model) if fitted else None
    return fitted.count * (switch.power_kw or 0.0) if fitted and switch else 0.0


def total(draws: Iterable[Draw]) -> Draw:
    """All of them together."""
    result = Draw()
    for draw in draws:
        result += draw
    return result


def row_number(site: Site, place: Place) -> int | None:
    """The row counted over all halls, from 1: rows hang on the feeds by turns of it."""
    return _row_number(site, place.hall, place.row)


def _row_number(site: Site, hall: str, row: int) -> int | None:
    before = 0
    for each in site.halls:
        if each.name == hall:
            return before + row
        before += each.rows
    return None


def rack_draws(region: Region) -> Iterator[RackDraw]:
    """All racks that have a place and known figures; the others are told by rules of their own."""
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    known: dict[tuple[str, int], Draw | None] = {}
    for index, rack in enumerate(region.racks):
        profile, place = profiles.get(rack.profile), place_of(region.site, rack)
        row = row_number(region.site, place) if place else None
        kind = (rack.profile, len(rack.trays))
        if kind not in known:
            cap = region.power.caps.get(rack.profile)
            known[kind] = draw_of(profile, len(rack.trays), region.catalogue, cap) if profile else None
        draw = known[kind]
        if place and row and draw:
            feed = (row - 1) % len(region.power.feeds)
            yield RackDraw(index=index, rack=rack, place=place, row=row, feed=feed, draw=draw)


def group_feed(region: Region, group: SwitchGroup) -> int:
    """Index of the feed that the row or room of a group of switches hangs on."""
    if group.row == ROOM:
        return room_feed(region.site, group.hall, region.power)
    return ((_row_number(region.site, group.hall, group.row) or 1) - 1) % len(region.power.feeds)


def loads(region: Region) -> tuple[Load, ...]:
    """Everything that draws: racks one by one, then switches by kind where they stand together."""
    racks = [
        Load(
            what=each.rack.profile,
            each=each.draw,
            count=1,
            hall=each.place.hall,
            row=each.place.row,
            feed=each.feed,
            rack=each.rack,
        )
        for each in rack_draws(region)
    ]
    switches = [
        Load(
            what=switch.switch,
            each=switch_draw(switch),
            count=count,
            hall=group.hall,
            row=group.row,
            feed=group_feed(region, group),
            rack=None,
        )
        for group in switch_groups(region)
        for switch, count in group.switches
    ]
    return (*racks, *switches)


def surviving_kw(power: Power) -> float:
    """What the feeds still carry when the largest of them are lost, as many as may be."""
    kept = sorted(feed.kw for feed in power.feeds)[: max(0, len(power.feeds) - power.spare_feeds)]
    return round(sum(kept), 3)
