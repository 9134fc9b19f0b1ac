"""What racks draw, and what each level above them carries: the sums behind the rules and the plan of power."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.spec.catalogue.derive import planned_kw
from components.spec.catalogue.rack import RackProfile
from components.spec.derive import place_of
from components.spec.power import Planning, Power
from components.spec.rack import Place, Rack
from components.spec.region import Region
from components.spec.site import Site


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Electric power of some racks, kW, without the cooling of the hall."""

    nameplate_kw: float = 0.0
    """The most it can ever be."""
    planned_kw: float = 0.0
    """At full load in service."""
    idle_kw: float | None = 0.0
    """Without work; None where a profile does not say."""
    inrush_kw: float = 0.0
    """Peak while it is switched on; the nameplate where a profile does not say."""

    def by(self, planning: Planning) -> float:
        """The figure that budgets count."""
        return self.nameplate_kw if planning is Planning.NAMEPLATE else self.planned_kw

    def __add__(self, other: Draw) -> Draw:
        idle = None if self.idle_kw is None or other.idle_kw is None else round(self.idle_kw + other.idle_kw, 3)
        return Draw(
            nameplate_kw=round(self.nameplate_kw + other.nameplate_kw, 3),
            planned_kw=round(self.planned_kw + other.planned_kw, 3),
            idle_kw=idle,
            inrush_kw=round(self.inrush_kw + other.inrush_kw, 3),
        )


@dataclass(frozen=True, kw_only=True)
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


def draw_of(profile: RackProfile, trays: int) -> Draw | None:
    """Of one rack with so many trays; None where the profile does not say.

    Where trays are servers of their own, the rack draws by the tray; a rack with a busbar and NVLink
    switches draws as a whole.
    """
    power = profile.power
    planned = planned_kw(profile, trays)
    if power is None or (planned is None and power.nameplate_kw is None):
        return None
    part = trays / profile.slots if power.tray_kw is not None else 1.0
    nameplate = power.nameplate_kw * part if power.nameplate_kw is not None else planned or 0.0
    inrush = power.inrush_kw * part if power.inrush_kw is not None else nameplate
    return Draw(
        nameplate_kw=round(nameplate, 3),
        planned_kw=round(nameplate if planned is None else planned, 3),
        idle_kw=None if power.idle_kw is None else round(power.idle_kw * part, 3),
        inrush_kw=round(inrush, 3),
    )


def total(draws: Iterable[Draw]) -> Draw:
    """All of them together."""
    result = Draw()
    for draw in draws:
        result += draw
    return result


def row_number(site: Site, place: Place) -> int | None:
    """The row counted over all halls, from 1: rows hang on the feeds by turns of it."""
    before = 0
    for hall in site.halls:
        if hall.name == place.hall:
            return before + place.row
        before += hall.rows
    return None


def rack_draws(region: Region) -> Iterator[RackDraw]:
    """All racks that have a place and known figures; the others are told by rules of their own."""
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for index, rack in enumerate(region.racks):
        profile, place = profiles.get(rack.profile), place_of(region.site, rack)
        row = row_number(region.site, place) if place else None
        draw = draw_of(profile, len(rack.trays)) if profile else None
        if place and row and draw:
            feed = (row - 1) % len(region.power.feeds)
            yield RackDraw(index=index, rack=rack, place=place, row=row, feed=feed, draw=draw)


def surviving_kw(power: Power) -> float:
    """What the feeds still carry when the largest of them are lost, as many as may be."""
    kept = sorted(feed.kw for feed in power.feeds)[: max(0, len(power.feeds) - power.spare_feeds)]
    return round(sum(kept), 3)
