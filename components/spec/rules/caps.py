"""Rules on power caps: something can hold them, and they mean something."""

from __future__ import annotations

import math
from collections.abc import Iterator

from components.spec.caps import lowest_cap_kw
from components.spec.catalogue.derive import planned_kw
from components.spec.power import Planning
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.rules.text import kw


@rule("cap-unused", "power", "racks")
def caps_are_of_racks(region: Region) -> Iterator[Fault]:
    """A cap is of a kind of rack that the region has.

    Example: `caps: {gb300-nvl72: 130}` in a region of GB200 racks.
    """
    used = {rack.profile for rack in region.racks}
    for name in sorted(region.power.caps.keys() - used):
        yield Fault(
            at=("power", "caps", name),
            message="no rack of the region is of this kind",
            found=name,
            allowed=", ".join(sorted(used)),
            remedy="remove the cap, or correct its name",
        )


@rule("cap-planning", "power")
def caps_are_planned_with(region: Region) -> Iterator[Fault]:
    """Caps count where a region plans with what racks draw in service; a nameplate is what it is.

    Example: `caps` beside `planning: nameplate`.
    """
    if region.power.caps and region.power.planning is Planning.NAMEPLATE:
        yield Fault(
            at=("power", "caps"),
            message="the region plans with nameplates, so its caps count nowhere",
            found="planning: nameplate",
            allowed="caps with `planning: planned`",
            remedy="plan with what racks draw, or remove the caps",
        )


@rule("cap-not-lower", "power", "catalogue")
def caps_are_lower(region: Region) -> Iterator[Fault]:
    """A cap is below what the rack draws without it.

    Example: `caps: {gb200-nvl72: 140}` where such a rack draws 132 kW.
    """
    for name, cap in region.power.caps.items():
        profile = region.catalogue.rack(name)
        planned = planned_kw(profile, profile.slots) if profile else None
        if planned is not None and cap >= planned:
            yield Fault(
                at=("power", "caps", name),
                message=f"a rack of {name} draws no more than this without any cap",
                found=kw(cap),
                allowed=f"less than {kw(planned)}",
                remedy="remove the cap, or lower it",
            )


@rule("cap-not-held", "power", "catalogue")
def gpus_hold_the_cap(region: Region) -> Iterator[Fault]:
    """The power limits of a rack's GPUs can hold its cap: nothing else of it can be told to draw less.

    Example: `caps: {gb200-nvl72: 70}`, for which 72 GPUs would have to draw 338 W each, where 400 W is the least.
    """
    for name, cap in region.power.caps.items():
        profile = region.catalogue.rack(name)
        planned = planned_kw(profile, profile.slots) if profile else None
        if profile is None or planned is None:
            continue
        lowest = lowest_cap_kw(profile, planned)
        if cap < lowest:
            tray = profile.tray
            yield Fault(
                at=("power", "caps", name),
                message=f"power limits of its GPUs cannot hold a rack of {name} to this",
                found=kw(cap),
                allowed=f"at least {planned:g} kW - {profile.gpus} x ({tray.gpu_watts} - {tray.gpu_watts_min}) W = {kw(lowest)}"
                if math.isfinite(lowest)
                else "no cap: the catalogue does not say which power limits its GPUs take",
                remedy="raise the cap, or have fewer racks"
                if math.isfinite(lowest)
                else "have fewer racks, or add gpu_watts and gpu_watts_min to the profile, with their evidence",
            )


RULES = (caps_are_of_racks, caps_are_planned_with, caps_are_lower, gpus_hold_the_cap)
