"""Rules on power: every level from the grid down to the rack carries what hangs below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from components.spec.draw import RackDraw, draw_of, rack_draws, surviving_kw, total
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.rules.text import kw, sum_of


def _sum(region: Region, draws: list[RackDraw]) -> str:
    return sum_of((each.rack.profile, each.draw.by(region.power.planning)) for each in draws)


def _kw(region: Region, draws: list[RackDraw]) -> float:
    return total(each.draw for each in draws).by(region.power.planning)


@rule("power-unknown", "racks", "catalogue")
def figures_are_known(region: Region) -> Iterator[Fault]:
    """The profile of every real rack says what it draws.

    Example: a profile without `power.planned_kw` and without `power.nameplate_kw`.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        if profile and not profile.simulated and draw_of(profile, len(rack.trays)) is None:
            yield Fault(
                at=("racks", r, "profile"),
                message=f"nothing says what a rack of {profile.profile} draws, so no budget can be held against it",
                found="no power.planned_kw and no power.nameplate_kw",
                allowed="at least the nameplate",
                remedy=f"add `power` to _catalogue/racks/{profile.profile}.yaml, with its evidence",
            )


@rule("power-site", "power", "racks", "site", "catalogue")
def site_carries_all(region: Region) -> Iterator[Fault]:
    """The draw of all racks times the PUE is at most what the grid gives the site.

    Example: 500 racks x 132 kW x PUE 1.2 = 79.2 MW where `site_kw` is 40000.
    """
    power, draws = region.power, list(rack_draws(region))
    it = _kw(region, draws)
    facility = round(it * power.pue, 3)
    if facility > power.site_kw:
        yield Fault(
            at=("power", "site_kw"),
            message="the racks, with their cooling, draw more than the site is given",
            found=f"({_sum(region, draws)} = {kw(it)}) x PUE {power.pue:g} = {kw(facility)}",
            allowed=f"at most {kw(power.site_kw)}: "
            + (
                f"with these racks, a PUE of at most {power.site_kw / it:.3f}"
                if it <= power.site_kw
                else "these racks are too many even without any cooling"
            ),
            remedy=f"{kw(facility - power.site_kw)} too much: fewer racks, a better PUE, or a larger connection",
        )


@rule("power-feed", "power", "racks", "site", "catalogue")
def feeds_carry_their_rows(region: Region) -> Iterator[Fault]:
    """Every feed carries the rows that hang on it while all feeds work.

    Example: a feed of 9000 kW with 64 racks x 132 kW x PUE 1.2 = 10,137.6 kW.
    """
    power = region.power
    by_feed: dict[int, list[RackDraw]] = defaultdict(list)
    for each in rack_draws(region):
        by_feed[each.feed].append(each)
    for feed, draws in sorted(by_feed.items()):
        it = _kw(region, draws)
        if (load := round(it * power.pue, 3)) > power.feeds[feed].kw:
            yield Fault(
                at=("power", "feeds", feed, "kw"),
                message=f"the rows on feed {power.feeds[feed].name} draw more than it carries",
                found=f"({_sum(region, draws)} = {kw(it)}) x PUE {power.pue:g} = {kw(load)}",
                allowed=f"at most {kw(power.feeds[feed].kw)}",
                remedy="rows hang on the feeds by turns: add a feed, or strengthen this one",
            )


@rule("power-feed-lost", "power", "racks", "site", "catalogue")
def feeds_carry_all_without_spares(region: Region) -> Iterator[Fault]:
    """With `spare_feeds` of the largest feeds lost, the others carry everything (N+1).

    Example: two feeds of 20 kW with `spare_feeds: 1`, and racks that draw 27 kW with their cooling.
    """
    power = region.power
    facility = round(_kw(region, list(rack_draws(region))) * power.pue, 3)
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


@rule("power-row", "power", "racks", "site", "catalogue")
def rows_carry_their_racks(region: Region) -> Iterator[Fault]:
    """The busway of every row carries the racks that stand in it.

    Example: 16 racks x 132 kW = 2,112 kW in a row of 2000 kW.
    """
    rows: dict[int, list[RackDraw]] = defaultdict(list)
    for each in rack_draws(region):
        rows[each.row].append(each)
    over = {row: load for row, draws in rows.items() if (load := _kw(region, draws)) > region.power.row_kw}
    if over:
        worst = max(over, key=lambda row: over[row])
        place = rows[worst][0].place
        yield Fault(
            at=("power", "row_kw"),
            message=f"the racks of {'a row' if len(over) == 1 else f'{len(over)} rows'} draw more than its busway"
            f" carries; most in hall {place.hall}, row {place.row}",
            found=f"{_sum(region, rows[worst])} = {kw(over[worst])}",
            allowed=f"at most {kw(region.power.row_kw)}",
            remedy="put fewer racks into a row (site.halls), or strengthen the busways",
        )


@rule("power-tap", "power", "racks", "site", "catalogue")
def taps_carry_the_nameplate(region: Region) -> Iterator[Fault]:
    """The tap-off of every rack carries its nameplate: a breaker knows nothing of plans.

    Example: `pdu_kw: 140` with racks whose nameplate is 150 kW.
    """
    draws = list(rack_draws(region))
    over = [each for each in draws if each.draw.nameplate_kw > region.power.pdu_kw]
    if over:
        worst = max(over, key=lambda each: each.draw.nameplate_kw)
        yield Fault(
            at=("power", "pdu_kw"),
            message=f"{len(over)} of {len(draws)} racks may draw more than their tap-off carries, as {worst.rack.name}",
            found=f"{kw(worst.draw.nameplate_kw)}, the nameplate of {worst.rack.profile}",
            allowed=f"at most {kw(region.power.pdu_kw)}",
            remedy="choose a larger tap-off, or racks that draw less",
        )


@rule("power-strip", "racks", "catalogue")
def strips_carry_the_rack(region: Region) -> Iterator[Fault]:
    """With one of its own power strips lost, a rack of servers still runs on the others.

    Example: a rack of 40.8 kW with two strips of 32 kW.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        draw = draw_of(profile, len(rack.trays)) if profile else None
        unit = region.catalogue.power_unit(profile.pdus.model) if profile and profile.pdus else None
        if profile is None or profile.pdus is None or unit is None or draw is None:
            continue
        left = (profile.pdus.count - 1) * unit.kw
        if draw.nameplate_kw > left:
            yield Fault(
                at=("racks", r, "profile"),
                message=f"{len(rack.trays)} servers may draw more than the rack's strips give with one of them lost",
                found=f"{kw(draw.nameplate_kw)} on {profile.pdus.count - 1} x {kw(unit.kw)} = {kw(left)}",
                allowed=f"at most {kw(left)}",
                remedy="put fewer servers into the rack, or give the profile stronger strips",
            )


@rule("power-step", "power", "racks", "site", "catalogue")
def steps_hold_a_rack(region: Region) -> Iterator[Fault]:
    """A step of switching on holds at least the inrush of one rack.

    Example: `step_kw: 100` with racks whose inrush is 150 kW.
    """
    draws = list(rack_draws(region))
    worst = max(draws, key=lambda each: each.draw.inrush_kw, default=None)
    if worst and worst.draw.inrush_kw > region.power.step_kw:
        yield Fault(
            at=("power", "step_kw"),
            message=f"not even one rack may be switched on in a step: {worst.rack.name} alone draws more at first",
            found=f"{kw(worst.draw.inrush_kw)}, the inrush of {worst.rack.profile}",
            allowed=f"at most {kw(region.power.step_kw)}",
            remedy="allow larger steps, if generators and cooling can follow",
        )


RULES = (
    figures_are_known,
    site_carries_all,
    feeds_carry_their_rows,
    feeds_carry_all_without_spares,
    a_feed_is_left,
    feeds_differ,
    rows_carry_their_racks,
    taps_carry_the_nameplate,
    strips_carry_the_rack,
    steps_hold_a_rack,
)
