"""The order in which a region is switched on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from components.plan.power.model import EnergiseStep
from components.spec.draw import RackDraw, total
from components.spec.rack import Role
from components.spec.region import Region

FIRST = "control plane and management network"
"""What everything else is switched on with: the racks of the control planes, whose own switches come with them."""


def energise(region: Region, draws: Iterable[RackDraw]) -> tuple[EnergiseStep, ...]:
    """Control planes first, then unit after unit; no step adds more than `power.step_kw`."""
    power, steps, running = region.power, list[EnergiseStep](), 0.0
    for what, racks in _batches(region, draws):
        running += total(each.draw for each in racks).by(power.planning)
        steps.append(
            EnergiseStep(
                number=len(steps) + 1,
                what=what,
                racks=tuple(each.rack.name for each in racks),
                inrush_kw=total(each.draw for each in racks).inrush_kw,
                running_kw=round(running, 3),
                start_s=len(steps) * power.step_s,
                duration_s=power.step_s,
            )
        )
    return tuple(steps)


def _batches(region: Region, draws: Iterable[RackDraw]) -> Iterator[tuple[str, list[RackDraw]]]:
    def order(each: RackDraw) -> tuple[int, int]:
        is_first = any(tray.role is Role.CONTROL_PLANE for tray in each.rack.trays)
        return (0 if is_first else (each.rack.id - 1) // region.scalable_unit.racks + 1, each.rack.id)

    for unit, members in groupby(sorted(draws, key=order), key=lambda each: order(each)[0]):
        for racks in _filled(members, region.power.step_kw):
            yield (f"unit {unit}" if unit else FIRST), racks


def _filled(members: Iterable[RackDraw], step_kw: float) -> Iterator[list[RackDraw]]:
    batch: list[RackDraw] = []
    peak = 0.0
    for each in members:
        if batch and round(peak + each.draw.inrush_kw, 3) > step_kw:
            yield batch
            batch, peak = [], 0.0
        batch.append(each)
        peak += each.draw.inrush_kw
    if batch:
        yield batch
