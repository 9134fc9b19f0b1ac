"""One draw of how a bring-up may end: racks side by side, kinds waiting for each other, budgets making lines.

Owns the model behind the forecast. It knows no endpoint: those of one rack and one kind that are at the same step are
one group, whose last member is drawn at once.
"""

from __future__ import annotations

import bisect
import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from components.spec.catalogue.firmware import Endpoint

Groups: TypeAlias = "defaultdict[Endpoint, defaultdict[int, list[tuple[int, int, float | None]]]]"
"""Kind -> index of a step -> rack, endpoints there, when they began it (None: they wait for their turn)."""


FAR = 2.0
"""A step that takes so many times the longest before is not a slow one: something is wrong with the endpoint."""


class Spread:
    """Durations of a step."""

    def __init__(self, durations: Sequence[float], doubt: float = 0.0) -> None:
        self._sorted = sorted(durations)
        self.mean = fmean(self._sorted)
        self.middle = self.at(0.5)
        self._doubt = doubt
        """How far all of them together may be off, as the deviation of a logarithm: nothing evens this out."""

    def drawn(self, chance: random.Random) -> Spread:
        """The spread as it may be in truth."""
        factor = math.exp(chance.gauss(0, self._doubt))
        return Spread([factor * seconds for seconds in self._sorted])

    def at(self, share: float) -> float:
        """The duration that this share of all is below."""
        place = share * (len(self._sorted) - 1)
        low = int(place)
        high = min(low + 1, len(self._sorted) - 1)
        return self._sorted[low] + (self._sorted[high] - self._sorted[low]) * (place - low)

    def longest_of(self, count: int, chance: random.Random) -> float:
        """The longest of so many, drawn."""
        return self.at(chance.random() ** (1 / count))

    def left_of(self, count: int, elapsed: float, limit_s: float, chance: random.Random) -> float:
        """What is left of the longest of so many that have gone on for a while."""
        passed = bisect.bisect_right(self._sorted, elapsed) / len(self._sorted)
        if passed >= 1:
            if elapsed < FAR * self._sorted[-1]:
                return elapsed * chance.random()
            # Far longer than any before: most of these end at their limit, or soon after it.
            return max(limit_s * chance.uniform(0.7, 1.2) - elapsed, 0.2 * elapsed * chance.random())
        drawn = self.at(passed + (1 - passed) * chance.random() ** (1 / count))
        return max(0.0, drawn - elapsed)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A budget: who shares it, and how much of it one endpoint of each rack takes."""

    keys: Sequence[str]
    """By rack."""
    shares: Sequence[float]
    """Of the budget, by rack."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One step."""

    spread: Spread
    after: Sequence[tuple[Endpoint, str]]
    """Kinds that have to have ended, in the rack or in the tray."""
    lines: Sequence[Line]
    limit_s: float
    """After which it is given up, or remedied."""


class _Racks:
    """One kind of endpoint on its way, rack by rack: when a usual one, and when the last one is through a step."""

    def __init__(self, racks: int) -> None:
        self.count = [0] * racks
        self.usual = [0.0] * racks
        self.last = [0.0] * racks

    def join(self, rack: int, count: int, usual: float, last: float) -> None:
        """Endpoints that are here already."""
        before = self.count[rack]
        self.usual[rack] = (self.usual[rack] * before + usual * count) / (before + count)
        self.last[rack] = max(self.last[rack], last)
        self.count[rack] += count

    def wait(self, rack: int, until: float) -> None:
        self.usual[rack] = max(self.usual[rack], until)
        self.last[rack] = max(self.last[rack], until)

    def take(self, rack: int, usual_s: float, longest_s: float) -> None:
        """A step's time. The slowest in one step is seldom the slowest in the next one: delays add up as squares."""
        late = self.last[rack] - self.usual[rack]
        self.usual[rack] += usual_s
        self.last[rack] = self.usual[rack] + math.hypot(late, longest_s - usual_s)


def end_of(
    groups: Groups, kinds: Mapping[Endpoint, Sequence[Segment]], racks: int, now: float, chance: random.Random
) -> float:
    """When the last of all ends, in one draw."""
    ended: dict[Endpoint, _Racks] = {}
    for kind, segments in kinds.items():
        here = ended[kind] = _Racks(racks)
        for index, segment in enumerate(segments):
            at_step = groups[kind].get(index, ())
            busy = [rack for rack in range(racks) if here.count[rack]]
            if not (busy or at_step):
                continue
            spread = segment.spread.drawn(chance)
            for rack, count, began in at_step:
                if began is None:
                    here.join(rack, count, now, now)
            busy = [rack for rack in range(racks) if here.count[rack]]
            for rack in busy:
                for other, within in segment.after:
                    others = ended[other]
                    here.wait(rack, others.last[rack] if within == "rack" else others.usual[rack])
            free_at = _lines(segment.lines, spread, at_step, here, busy, now)
            for rack in busy:
                arrived = here.usual[rack]
                here.take(rack, spread.middle, spread.longest_of(here.count[rack], chance))
                free = free_at.get(rack, 0.0)
                here.usual[rack] = max(here.usual[rack], (arrived + free) / 2)
                here.last[rack] = max(here.last[rack], free)
            for rack, count, began in at_step:
                if began is not None:
                    left_s = spread.left_of(count, now - began, segment.limit_s, chance)
                    usual = min(now + left_s, max(now, began + spread.middle))
                    here.join(rack, count, usual, now + left_s)
    return max(max(here.last) for here in ended.values())


def _lines(
    lines: Sequence[Line],
    spread: Spread,
    at_step: Sequence[tuple[int, int, float | None]],
    here: _Racks,
    busy: Sequence[int],
    now: float,
) -> Mapping[int, float]:
    """When each rack's endpoints have all had their share of the step's budgets, in the order of their arrival."""
    ends: dict[int, float] = {}
    for line in lines:
        free: dict[str, float] = {}
        for rack, count, began in at_step:
            if began is not None:
                left_s = max(0.0, spread.mean - (now - began))
                key = line.keys[rack]
                free[key] = free.get(key, now) + count * line.shares[rack] * left_s
        for rack in sorted(busy, key=lambda rack: here.usual[rack]):
            key = line.keys[rack]
            work_s = here.count[rack] * line.shares[rack] * spread.mean
            free[key] = max(free.get(key, now), here.usual[rack]) + work_s
            ends[rack] = max(ends.get(rack, 0.0), free[key])
    return ends
