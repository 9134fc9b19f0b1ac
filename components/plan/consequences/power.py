"""Load that comes or goes, in the order in which racks are switched on or off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from components.plan.consequences.model import PowerChange, PowerStep
from components.plan.consequences.names import fold
from components.plan.model import RegionPlan

_Step = tuple[float, int, tuple[str, ...]]
"""kW, rest in seconds, racks."""


def power_change(old: RegionPlan | None, new: RegionPlan) -> PowerChange | None:
    """None if the planned load stays. Only racks of which something has been received draw power, and the switches
    that they need: those of their unit, and those in network rooms."""
    before, after = _loads(old), _loads(new)
    if before == after:
        return None
    on, off = after.keys() - before.keys(), before.keys() - after.keys()
    steps = [*_going(off, before), *_coming(on, new, after)]
    was, becomes = sum(before.values()), sum(after.values())
    power = new.power
    return PowerChange(
        before_kw=_kw(was),
        after_kw=_kw(becomes),
        racks_on=fold(on),
        racks_off=fold(off),
        steps=tuple(_merged(steps)),
        site_kw=power.site_kw,
        facility_before_kw=_kw(was * (old.power.pue if old else power.pue)),
        facility_after_kw=_kw(becomes * power.pue),
        eur_per_hour=round(_price(new) * becomes - _price(old or new) * was, 2),
    )


def _kw(value: float) -> float:
    return round(value, 3)


def _loads(plan: RegionPlan | None) -> dict[str, float]:
    """Rack -> kW, as the region plans."""
    if plan is None:
        return {}
    there = {rack.name for rack in plan.racks if any(host.is_received for host in rack.hosts)}
    served: set[int | None] = {place.unit for place in plan.topology.racks if place.rack in there}
    if there:
        served.add(None)
    loads: dict[str, float] = {}
    for row in plan.power.rows:
        loads |= {rack.rack: rack.draw.held(plan.power.planning) for rack in row.racks if rack.rack in there}
        loads |= {rack.rack: rack.draw.held(plan.power.planning) for rack in row.switch_racks if rack.unit in served}
    return loads


def _price(plan: RegionPlan) -> float:
    """EUR for an hour of one kW, with cooling and losses."""
    return plan.power.eur_per_hour / plan.power.it_kw if plan.power.it_kw else 0.0


def _coming(racks: Iterable[str], plan: RegionPlan, loads: dict[str, float]) -> Iterator[_Step]:
    """The steps of the region's own order in which one of the racks is."""
    wanted = set(racks)
    for step in plan.power.steps:
        members = tuple(rack for rack in step.racks if rack in wanted)
        if members:
            yield _kw(sum(loads[rack] for rack in members)), step.duration_s, members


def _going(racks: Iterable[str], loads: dict[str, float]) -> Iterator[_Step]:
    """One rack after the other; nothing has to wait for load that goes."""
    for rack in sorted(racks):
        yield -_kw(loads[rack]), 0, (rack,)


def _merged(steps: Iterable[_Step]) -> Iterator[PowerStep]:
    """Equal steps that follow each other are one entry."""
    for (kw, rest), members in groupby(steps, key=lambda step: step[:2]):
        same = list(members)
        names = (rack for _, _, racks in same for rack in racks)
        yield PowerStep(kw=kw, count=len(same), racks=fold(names), rest_s=rest)
