"""Rules on power: every level from the grid down to the rack carries what hangs below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from components.spec.caps import lowest_cap_kw
from components.spec.draw import Load, draw_of, loads, surviving_kw
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.rules.text import kw, sum_of
from components.spec.switch_racks import ROOM


def _sum(region: Region, members: Iterable[Load]) -> str:
    """What site and feeds count."""
    return sum_of((each.what, each.each.held(region.power.planning), each.count) for each in members)


def _kw(region: Region, members: Iterable[Load]) -> float:
    return round(sum(each.each.held(region.power.planning) * each.count for each in members), 3)


@rule("power-unknown", "racks", "catalogue")
def figures_are_known(region: Region) -> Iterator[Fault]:
    """The profile of every real rack says what it draws.

    Example: a profile without `power.planned_kw` and without `power.nameplate_kw`.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        if profile and not profile.simulated and draw_of(profile, len(rack.trays), region.catalogue) is None:
            yield Fault(
                at=("racks", r, "profile"),
                message=f"nothing says what a rack of {profile.profile} draws, so no budget can be held against it",
                found="no power.planned_kw and no power.nameplate_kw",
                allowed="at least the nameplate",
                remedy=f"add `power` to _catalogue/racks/{profile.profile}.yaml, with its evidence",
            )


@rule("power-switch-unknown", "fabric", "compute", "oob", "catalogue")
def switches_are_known(region: Region) -> Iterator[Fault]:
    """Every kind of real switch says what it may draw.

    Example: a switch of the catalogue without `power_kw`.
    """
    for network in ("fabric", "compute", "oob"):
        part = getattr(region, network)
        switch = region.catalogue.switch(part.switch) if part else None
        if switch and not switch.simulated and switch.power_kw is None:
            yield Fault(
                at=(network, "switch"),
                message=f"nothing says what a {switch.switch} may draw, so no budget can be held against it",
                found="no power_kw",
                allowed="the most that it may draw, optical modules included",
                remedy=f"add `power_kw` to _catalogue/switches/{switch.switch}.yaml, with its evidence",
            )


@rule("power-site", "power", "racks", "site", "catalogue", "fabric", "compute", "oob", "scalable_unit")
def site_carries_all(region: Region) -> Iterator[Fault]:
    """The draw of all racks and switches times the PUE is at most what the grid gives the site.

    Example: 500 racks x 132 kW and their switches, x PUE 1.2, where `site_kw` is 40000.
    """
    power, members = region.power, loads(region)
    it = _kw(region, members)
    facility = round(it * power.pue, 3)
    if facility > power.site_kw:
        yield Fault(
            at=("power", "site_kw"),
            message="racks and switches, with their cooling, draw more than the site is given",
            found=f"({_sum(region, members)} = {kw(it)}) x PUE {power.pue:g} = {kw(facility)}",
            allowed=f"at most {kw(power.site_kw)}: "
            + (
                f"with these, a PUE of at most {power.site_kw / it:.3f}"
                if it <= power.site_kw
                else "these are too many even without any cooling"
            ),
            remedy=f"{kw(facility - power.site_kw)} too much: {_ways_out(region, members, facility)}",
        )


def _ways_out(region: Region, members: Iterable[Load], facility: float) -> str:
    """What an owner can do; among it the cap that would do, where the GPUs of one kind of rack can hold it."""
    power = region.power
    racks = [each for each in members if each.rack is not None]
    names = sorted({each.what for each in racks})
    for name in names if power.planning == "planned" else ():
        profile = region.catalogue.rack(name)
        of_kind = [each for each in racks if each.what == name]
        each = of_kind[0].each.held_kw
        # Rounded down to whole kW, as owners write them.
        cap = float(int(each - (facility - power.site_kw) / power.pue / len(of_kind)))
        if profile and cap >= lowest_cap_kw(profile, of_kind[0].each.planned_kw):
            return f"fewer racks, a better PUE, a larger connection, or `caps: {{{name}: {cap:g}}}`"
    return "fewer racks, a better PUE, or a larger connection"


@rule("power-feed", "power", "racks", "site", "catalogue", "fabric", "compute", "oob", "scalable_unit")
def feeds_carry_their_rows(region: Region) -> Iterator[Fault]:
    """Every feed carries the rows and network rooms that hang on it while all feeds work.

    Example: a feed of 9000 kW with 64 racks x 132 kW x PUE 1.2 = 10,137.6 kW.
    """
    power = region.power
    by_feed: dict[int, list[Load]] = defaultdict(list)
    for each in loads(region):
        by_feed[each.feed].append(each)
    for feed, members in sorted(by_feed.items()):
        it = _kw(region, members)
        if (load := round(it * power.pue, 3)) > power.feeds[feed].kw:
            yield Fault(
                at=("power", "feeds", feed, "kw"),
                message=f"the rows on feed {power.feeds[feed].name} draw more than it carries",
                found=f"({_sum(region, members)} = {kw(it)}) x PUE {power.pue:g} = {kw(load)}",
                allowed=f"at most {kw(power.feeds[feed].kw)}",
                remedy="rows hang on the feeds by turns: add a feed, or strengthen this one",
            )


@rule("power-feed-lost", "power", "racks", "site", "catalogue", "fabric", "compute", "oob", "scalable_unit")
def feeds_carry_all_without_spares(region: Region) -> Iterator[Fault]:
    """With `spare_feeds` of the largest feeds lost, the others carry everything (N+1).

    Example: two feeds of 20 kW with `spare_feeds: 1`, and racks that draw 27 kW with their cooling.
    """
    power = region.power
    facility = round(_kw(region, loads(region)) * power.pue, 3)
    left = surviving_kw(power)
    if power.spare_feeds < len(power.feeds) and facility > left:
        kept = sorted(feed.kw for feed in power.feeds)[: len(power.feeds) - power.spare_feeds]
        yield Fault(
            at=("power", "spare_feeds") if power.spare_feeds else ("power", "feeds"),
            message=f"with {power.spare_feeds} of {len(power.feeds)} feeds lost, the others do not carry the region",
            found=f"{kw(facility)} on {' + '.join(map(kw, kept))} = {kw(left)}",
            allowed=f"at least {kw(facility)} on {len(kept)} feeds",
            remedy=f"{kw(facility - left)} are missing: strengthen the feeds, add one, or have fewer racks",
        )


@rule("feed-spare-count", "power")
def a_feed_is_left(region: Region) -> Iterator[Fault]:
    """At least one feed is no spare.

    Example: `spare_feeds: 2` with two feeds.
    """
    power = region.power
    if power.spare_feeds >= len(power.feeds):
        yield Fault(
            at=("power", "spare_feeds"),
            message="all feeds would be spares",
            found=f"{power.spare_feeds} of {len(power.feeds)}",
            allowed=f"at most {len(power.feeds) - 1}",
            remedy="add feeds, or tolerate the loss of fewer",
        )


@rule("feed-duplicate", "power")
def feeds_differ(region: Region) -> Iterator[Fault]:
    """Feeds have different names.

    Example: two feeds named `feed-a`.
    """
    seen: set[str] = set()
    for f, feed in enumerate(region.power.feeds):
        if feed.name in seen:
            yield Fault(
                at=("power", "feeds", f, "name"),
                message="two feeds have this name",
                found=feed.name,
                allowed="each once in the site",
                remedy="rename one of them",
            )
        seen.add(feed.name)


@rule("power-row", "power", "racks", "site", "catalogue", "fabric", "compute", "oob", "scalable_unit")
def rows_carry_their_racks(region: Region) -> Iterator[Fault]:
    """The busway of every row, and of every network room, carries what stands there, without any cap.

    Example: 16 racks x 132 kW = 2,112 kW in a row of 2000 kW.
    """
    planning = region.power.planning
    rows: dict[tuple[str, int], list[Load]] = defaultdict(list)
    for each in loads(region):
        rows[each.hall, each.row].append(each)
    sums = {row: round(sum(m.each.by(planning) * m.count for m in members), 3) for row, members in rows.items()}
    over = {row: load for row, load in sums.items() if load > region.power.row_kw}
    if over:
        hall, row = worst = max(over, key=lambda row: over[row])
        where = f"row {row}" if row != ROOM else "the network room"
        yield Fault(
            at=("power", "row_kw"),
            message=f"what stands in {'a row' if len(over) == 1 else f'{len(over)} rows'} draws more than the busway"
            f" carries; most in hall {hall}, {where}",
            found=f"{sum_of((m.what, m.each.by(planning), m.count) for m in rows[worst])} = {kw(over[worst])}",
            allowed=f"at most {kw(region.power.row_kw)}",
            remedy="put fewer racks into a row (site.halls), or strengthen the busways",
        )


RULES = (
    figures_are_known,
    switches_are_known,
    site_carries_all,
    feeds_carry_their_rows,
    feeds_carry_all_without_spares,
    a_feed_is_left,
    feeds_differ,
    rows_carry_their_racks,
)
