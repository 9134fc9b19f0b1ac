"""Rules on the taps of power: every rack's own connection carries it, and steps of switching on hold it."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.draw import draw_of, loads, rack_draws
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.rules.text import kw


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
        draw = draw_of(profile, len(rack.trays), region.catalogue) if profile else None
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


@rule("power-switch-tap", "power", "racks", "site", "catalogue", "fabric", "compute", "oob", "scalable_unit")
def taps_carry_a_switch(region: Region) -> Iterator[Fault]:
    """The tap-off of a rack of switches carries at least one switch of every kind.

    Example: `switch_rack_kw: 2` with switches of 2.17 kW.
    """
    kinds = {each.what: each.each.nameplate_kw for each in loads(region) if each.rack is None}
    worst = max(kinds, key=lambda name: kinds[name], default=None)
    if worst and kinds[worst] > region.power.switch_rack_kw:
        yield Fault(
            at=("power", "switch_rack_kw"),
            message=f"not even one {worst} may stand in a rack of switches",
            found=f"{_exact_kw(kinds[worst])}, the most that a {worst} draws",
            allowed=f"at most {_exact_kw(region.power.switch_rack_kw)}",
            remedy="choose a larger tap-off",
        )


def _exact_kw(value: float) -> str:
    return f"{value:g} kW"


@rule("power-switch-step", "power", "racks", "site", "catalogue", "fabric", "compute", "oob", "scalable_unit")
def steps_hold_a_switch_rack(region: Region) -> Iterator[Fault]:
    """A step of switching on holds at least one full rack of switches.

    Example: `step_kw: 20` with the usual 22 kW of a rack of switches.
    """
    power = region.power
    if power.switch_rack_kw > power.step_kw and any(each.rack is None for each in loads(region)):
        yield Fault(
            at=("power", "step_kw"),
            message="not even one rack of switches may be switched on in a step",
            found=f"{kw(power.switch_rack_kw)} (power.switch_rack_kw)",
            allowed=f"at most {kw(power.step_kw)}",
            remedy="allow larger steps, or give racks of switches a smaller tap-off",
        )


RULES = (
    taps_carry_the_nameplate,
    taps_carry_a_switch,
    strips_carry_the_rack,
    steps_hold_a_rack,
    steps_hold_a_switch_rack,
)
