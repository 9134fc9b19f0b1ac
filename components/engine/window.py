"""How wide the window of requests is: found by what the answers show, not by a setting.

Owns the rule; who waits for the window is pace.py's. It is a gradient controller: answers are compared with what
their own kind took while nothing was crowded, and the window follows the ratio. The family is TCP Vegas (Brakmo and
Peterson, 1995), in the form of Netflix's concurrency-limits (2018), doubling at first as TCP's slow start does and
cut by a factor on overload, as Chiu and Jain (1989) show that it must. Three things are added for a fleet:

- The ratio is the median of a cohort, the requests begun after the last change; those not answered yet count as slow.
  So some slow or dead endpoints move nothing, and quick answers that come first do not make a false baseline.
- An overloaded far side is one that many racks see, at endpoints that were well before: a dead tray, or a rack
  without power, is not.
- Slowness that stays when the window was halved is not of our making: it becomes the baseline, and the window returns.

This process counts as a far side too: it does not widen the window while its own event loop runs late.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

FIRST = 256
FLOOR = 16
CEILING = 8192
"""Connections cost file descriptors and memory here, 40 to 80 KiB each with TLS."""
_SMALLEST_COHORT, _LARGEST_COHORT = 24, 200
_ANSWERED = 0.75
"""Share of a cohort after which it is judged."""
_PATIENCE_S = 30.0
"""After this a cohort is judged as it is."""
_CALM = math.log(1.4)
"""Below this there is room: a bottleneck that is kept busy shows a queue of about half its service."""
_CROWDED = math.log(2.0)
_AIM = math.log(1.6)
_LATE_S, _TOO_LATE_S = 0.15, 0.75
"""How late the event loop may run before the window stays, and before it shrinks."""
_SLOWLY = 0.05
"""How slowly a baseline follows answers that differ by no more than chance. The same in both directions: following the
quick ones faster makes it that of the luckiest answers, by which all others are slow and the window closes."""
_NO_CHANCE = 2.0
"""Standard errors of a median from which answers are quicker than by chance, and the baseline follows at once."""


@dataclass
class _Cohort:
    """The requests by which the present width is judged."""

    number: int
    wanted: int
    began: float
    begun: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    answers: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list[float]))
    """Kind -> logarithms of seconds."""
    count: int = 0
    answered: int = 0
    most_in_flight: int = 0
    is_limited: bool = False
    """Somebody waited for the window."""
    late_s: list[float] = field(default_factory=list[float])
    good: int = 0
    overloads: int = 0
    racks: set[str] = field(default_factory=set[str])
    racks_overloaded: set[str] = field(default_factory=set[str])


@dataclass(frozen=True)
class _Trouble:
    """Where a row of cuts began."""

    size: float
    inflation: float


class Window:
    """How many requests may be under way; pure, it is told the time."""

    def __init__(self, *, first: int = FIRST, floor: int = FLOOR, ceiling: int = CEILING) -> None:
        self.size = float(first)
        self._floor, self._ceiling = floor, ceiling
        self._baseline: dict[str, float] = {}
        self._is_starting = True
        self._trouble: _Trouble | None = None
        self._cohort = self._next(0, 0.0)

    def _next(self, number: int, now: float) -> _Cohort:
        # The first few requests find nobody before them: they say what calm is.
        wanted = min(max(int(self.size / 2) if number else 0, _SMALLEST_COHORT), _LARGEST_COHORT)
        return _Cohort(number, wanted, now)

    # What is told to it

    def begun(self, kind: str, rack: str, in_flight: int, now: float) -> int:
        """A request begins; the number to give back with its end."""
        cohort = self._cohort
        cohort.racks.add(rack)
        cohort.most_in_flight = max(cohort.most_in_flight, in_flight)
        if cohort.count >= cohort.wanted:
            return -1
        if not cohort.count:
            cohort.began = now
        cohort.count += 1
        cohort.begun[kind] += 1
        return cohort.number

    def answered(self, number: int, kind: str, seconds: float) -> None:
        """It was answered as it should be."""
        self._cohort.good += 1
        if number == self._cohort.number:
            self._cohort.answered += 1
            self._cohort.answers[kind].append(math.log(max(seconds, 1e-6)))

    def disturbed(self, number: int, kind: str) -> None:
        """It was answered, but this process stood still meanwhile: how long it took is not known."""
        self._cohort.good += 1
        self.ended(number, kind)

    def ended(self, number: int, kind: str) -> None:
        """It ended in a way that tells nothing of load."""
        if number == self._cohort.number:
            self._cohort.count -= 1
            self._cohort.begun[kind] -= 1

    def overloaded(self, rack: str) -> None:
        """An endpoint that was well has too much to do, or was not heard of in time."""
        self._cohort.overloads += 1
        self._cohort.racks_overloaded.add(rack)

    def look(self, now: float, late_s: float, *, is_limited: bool) -> None:
        """Regularly: how late the event loop is, and whether somebody waits. Judges when there is enough to judge."""
        cohort = self._cohort
        cohort.late_s.append(late_s)
        cohort.is_limited |= is_limited
        full = cohort.count >= cohort.wanted and cohort.answered >= _ANSWERED * cohort.count
        if full or (cohort.count and now - cohort.began > _PATIENCE_S) or self._is_overload(cohort):
            self._judge(cohort)
            self._cohort = self._next(cohort.number + 1, now)

    # What follows from it

    def _judge(self, cohort: _Cohort) -> None:
        ratios, count = self._ratios(cohort)
        inflation = self._inflation(ratios, count)
        late_s = sorted(cohort.late_s)[len(cohort.late_s) // 2]
        used = min(self.size, max(cohort.most_in_flight, self._floor))
        if self._is_overload(cohort):
            self._cut(used * 0.7)
        elif inflation > _CROWDED and self._brought_no_relief(inflation):
            self._take_as_baseline(inflation)
        elif inflation > _CROWDED or late_s > _TOO_LATE_S:
            if inflation > _CROWDED and self._trouble is None:
                self._trouble = _Trouble(self.size, inflation)
            self._cut(used * min(0.8, max(0.5, math.exp(_AIM - inflation))))
        else:
            self._trouble = None
            is_known = cohort.answered >= _SMALLEST_COHORT / 2  # most may have been disturbed
            if is_known and inflation < _CALM and late_s < _LATE_S and cohort.is_limited and cohort.number:
                self.size = min(self._ceiling, self.size * (2.0 if self._is_starting else 1.25))
        self._learn(cohort, inflation, is_quicker=self._is_quicker(ratios, inflation))

    def _ratios(self, cohort: _Cohort) -> tuple[list[float], int]:
        """Logarithms of how much longer answers took than those of their kind in calm, sorted, and of how many
        requests; those without an answer yet would come after them."""
        known = [kind for kind in cohort.begun if kind in self._baseline]
        ratios = sorted(answer - self._baseline[kind] for kind in known for answer in cohort.answers[kind])
        return ratios, sum(cohort.begun[kind] for kind in known)

    @staticmethod
    def _inflation(ratios: Sequence[float], count: int) -> float:
        """The median of the ratios."""
        if count < _SMALLEST_COHORT / 2:
            return 0.0
        middle = count // 2
        return ratios[middle] if middle < len(ratios) else math.inf

    @staticmethod
    def _is_quicker(ratios: Sequence[float], inflation: float) -> bool:
        """Whether answers are quicker than their baselines by more than chance."""
        if len(ratios) < _SMALLEST_COHORT / 2:
            return False
        spread = (ratios[int(0.84 * len(ratios))] - ratios[int(0.16 * len(ratios))]) / 2
        return inflation < -_NO_CHANCE * 1.25 * spread / math.sqrt(len(ratios))

    def _learn(self, cohort: _Cohort, inflation: float, *, is_quicker: bool) -> None:
        for kind, answers in cohort.answers.items():
            middle = cohort.begun[kind] // 2
            if middle >= len(answers):
                continue
            seen, known = sorted(answers)[middle], self._baseline.get(kind)
            trust = len(answers) / (len(answers) + 16)
            if known is None:
                self._baseline[kind] = seen
            elif seen < known and is_quicker:
                self._baseline[kind] = known + (seen - known) * trust
            elif inflation < _CALM:
                self._baseline[kind] = known + (seen - known) * trust * _SLOWLY

    @staticmethod
    def _is_overload(cohort: _Cohort) -> bool:
        is_wide = len(cohort.racks_overloaded) * 3 >= len(cohort.racks | cohort.racks_overloaded)
        return is_wide and cohort.overloads >= max(4.0, 0.05 * (cohort.overloads + cohort.good))

    def _brought_no_relief(self, inflation: float) -> bool:
        """Whether the window was cut to less than a third, and answers take as long: a queue would have gone down with it."""
        before = self._trouble
        return before is not None and self.size <= 0.3 * before.size and inflation >= before.inflation - math.log(4 / 3)

    def _take_as_baseline(self, inflation: float) -> None:
        assert self._trouble is not None  # noqa: S101 - asked just before
        self.size, self._trouble = self._trouble.size, None
        if math.isfinite(inflation):
            self._baseline = {kind: known + inflation for kind, known in self._baseline.items()}

    def _cut(self, size: float) -> None:
        self._is_starting = False
        self.size = max(float(self._floor), size)
