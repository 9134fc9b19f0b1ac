"""The order in which a region is switched on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from components.plan.power.model import EnergiseStep
from components.spec.draw import RackDraw
from components.spec.rack import Role
from components.spec.region import Region
from components.spec.switch_racks import SwitchRack

FIRST = "control plane and network rooms"
"""What everything else is switched on with: the racks of the control planes with the switches that they need, and
the switches above all units."""


@dataclass(frozen=True)
class _Rack:
    """A rack of machines or of switches."""

    name: str
    order: tuple[int, int, int]
    """0 for what is switched on first, else the unit; switches before machines; the id."""
    inrush_kw: float
    held_kw: float


def energise(region: Region, draws: Iterable[RackDraw], switches: Sequence[SwitchRack]) -> tuple[EnergiseStep, ...]:
    """Control planes and network rooms first, then unit after unit; no step adds more than `power.step_kw`."""
    power, steps, running = region.power, list[EnergiseStep](), 0.0
    for what, racks in _batches(region, draws, switches):
        running += sum(each.held_kw for each in racks)
        steps.append(
            EnergiseStep(
                number=len(steps) + 1,
                what=what,
                racks=tuple(each.name for each in racks),
                inrush_kw=round(sum(each.inrush_kw for each in racks), 3),
                running_kw=round(running, 3),
                start_s=len(steps) * power.step_s,
                duration_s=power.step_s,
            )
        )
    return tuple(steps)


def _racks(region: Region, draws: Iterable[RackDraw], switches: Sequence[SwitchRack]) -> Iterator[_Rack]:
    size, found = region.scalable_unit.racks, list(draws)
    leading = {each.rack.id for each in found if any(t.role is Role.CONTROL_PLANE for t in each.rack.trays)}
    early = {(id - 1) // size + 1 for id in leading}
    for number, each in enumerate(switches):
        unit = each.group.unit or 0
        # A control plane is of no use without the switches of its unit.
        yield _Rack(each.name, (0 if unit in early else unit, 0, number), each.max_kw, each.max_kw)
    for each in found:
        unit = 0 if each.rack.id in leading else (each.rack.id - 1) // size + 1
        held = each.draw.held(region.power.planning)
        yield _Rack(each.rack.name, (unit, 1, each.rack.id), each.draw.inrush_kw, held)


def _batches(
    region: Region, draws: Iterable[RackDraw], switches: Sequence[SwitchRack]
) -> Iterator[tuple[str, list[_Rack]]]:
    ordered = sorted(_racks(region, draws, switches), key=lambda each: each.order)
    for unit, members in groupby(ordered, key=lambda each: each.order[0]):
        for racks in _filled(members, region.power.step_kw):
            yield (f"unit {unit}" if unit else FIRST), racks


def _filled(members: Iterable[_Rack], step_kw: float) -> Iterator[list[_Rack]]:
    batch: list[_Rack] = []
    peak = 0.0
    for each in members:
        if batch and round(peak + each.inrush_kw, 3) > step_kw:
            yield batch
            batch, peak = [], 0.0
        batch.append(each)
        peak += each.inrush_kw
    if batch:
        yield batch
