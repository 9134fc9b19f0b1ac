"""What a service may use in a month: hours of replicas at least, as expected, and at most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from components.plan.tenants import ServicePlan
from components.spec.scaling import Shift

MONTH_HOURS = 730.0
"""8,760 hours of a year / 12."""

DEFAULT_DUTY = 0.2
"""Part of the room between floor and ceiling that is expected to be used where nobody says: a choice of this project,
until the region has a history."""

_DAY = 24 * 60


@dataclass(frozen=True, kw_only=True)
class ReplicaHours:
    """Of all replicas of a service together, in a month."""

    floor: float
    """That run whether anybody calls or not: its least replicas, and its schedule."""
    expected: float
    ceiling: float
    """If all replicas ran all month; of a job, if it ran once up to its limit."""
    assumption: str
    """What `expected` stands on."""


def replica_hours(service: ServicePlan, duty: float | None = None) -> ReplicaHours:
    """Of one service; `duty` is what a history shows, before what the service declares."""
    used, source = _duty(service, duty)
    if service.job is not None:
        most = service.job.pods * service.job.limit_s / 3600
        return ReplicaHours(
            floor=0.0, expected=used * most, ceiling=most, assumption=f"one run, {used:.0%} of its limit ({source})"
        )
    least = MONTH_HOURS * mean_floor(service.min_replicas, service.max_replicas, service.scaling.schedule)
    most = MONTH_HOURS * max(service.max_replicas, service.min_replicas)
    return ReplicaHours(
        floor=least,
        expected=least + used * (most - least),
        ceiling=most,
        assumption=f"{used:.0%} of what is between floor and ceiling ({source})",
    )


def mean_floor(least: int, most: int, schedule: Iterable[Shift]) -> float:
    """Replicas that always run, as a mean over the day; a shift may go over midnight."""
    shifts = [(_minutes(shift.start), _minutes(shift.end), min(shift.replicas, most)) for shift in schedule]
    edges = sorted({0, _DAY, *(edge for start, end, _ in shifts for edge in (start, end))})
    total = 0
    for begin, stop in pairwise(edges):
        running = (replicas for start, end, replicas in shifts if _covers(start, end, begin))
        total += (stop - begin) * max((least, *running))
    return total / _DAY


def _covers(start: int, end: int, minute: int) -> bool:
    return start <= minute < end if start < end else minute >= start or minute < end


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _duty(service: ServicePlan, history: float | None) -> tuple[float, str]:
    if history is not None:
        return history, "measured"
    if service.expected_duty is not None:
        return service.expected_duty, "declared as expected_duty"
    return DEFAULT_DUTY, "the default, as none is declared"
