"""When a bring-up will be over: from what it did so far, and from earlier runs.

Owns the forecast, an interval as well as a time. Every step of every kind of endpoint has a spread of durations: of
this run, of earlier ones (`forecast_history.py`), or a wide guess from its limit before anything was seen. What is left
of all racks is drawn from these many times over (`forecast_trial.py`). Pure.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from components.engine.bring_up.event import StepEvent, StepOutcome
from components.engine.bring_up.services import Tempo
from components.engine.forecast_history import History, StepSpread
from components.engine.forecast_trial import Groups, Line, Segment, Spread, end_of
from components.plan.bring_up.compile import Plan
from components.spec.catalogue.bring_up import Step, StepName
from components.spec.catalogue.firmware import Endpoint

TRIALS = 60
ENOUGH = 10
"""Endpoints that have been through a step before it is believed what it takes."""
_BLINK_S = 0.5
"""Steps that take no time say nothing of how fast the machines are."""
KEPT = 400
"""Durations of a step that are kept, once there are more: the last ones for this run, a sample for later ones."""
_GUESS = (0.15, 0.25, 0.4)
"""Shares of its limit in which a step ends of which nothing is known."""
_GUESS_DOUBT = 0.5
"""How far this may be off, as the deviation of a logarithm."""
_DOUBT = 0.03
"""The same of steps that were seen: machines that have not come to one yet may be others than those that have."""
RUN_DOUBT = 0.4
"""The same of all that is left: a fleet, and the machine that drives it, are not equally fast all the time."""
_LONGER = 1.25
"""A step that is under way for long is counted as this many times what it has taken: else only the fast would count."""
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """When all racks have ended, in seconds since 1970."""

    median: float
    low: float
    high: float
    """Most runs end between `low` and `high`; docs/guides/scale.md has how many did."""


@dataclass
class _Endpoint:
    rack: int
    kind: Endpoint
    steps: Sequence[Step]
    index: int = 0
    """Of the step that it is in or waits for."""
    began: float | None = None
    """Of that step; None while it waits for its turn."""


class Forecaster:
    """Takes the events of one run and tells when it will end."""

    def __init__(self, plan: Plan, *, tempo: Tempo, history: History | None = None, seed: int = 0) -> None:
        self._plan, self._tempo = plan, tempo
        self._chance = random.Random(seed)  # noqa: S311 - draws of a forecast, not of a secret
        self._open = {
            each.name: _Endpoint(number, each.kind, plan.bring_up.kind(each.kind).steps)
            for number, rack in enumerate(plan.racks)
            for each in rack.endpoints
        }
        self._seen: dict[tuple[Endpoint, StepName], list[float]] = defaultdict(list)
        """A sample of all of the run, for later ones."""
        self._lately: dict[tuple[Endpoint, StepName], deque[float]] = defaultdict(lambda: deque(maxlen=KEPT))
        """The last ones, for this one: a step takes longer while many endpoints want answers at the same time."""
        self._count: dict[tuple[Endpoint, StepName], int] = defaultdict(int)
        self._overruns = 0
        self._past: Mapping[tuple[Endpoint, StepName], StepSpread] = (
            history.spreads(tempo.compression) if history else {}
        )

    @property
    def history(self) -> History:
        """What later runs may learn from this one."""
        return History.of(self._seen, self._count, self._tempo.compression)

    def take(self, event: StepEvent) -> None:
        """Note one event; those of endpoints that the plan does not name, or that have ended, are left aside."""
        endpoint = self._open.get(event.endpoint)
        if endpoint is None:
            return
        if event.outcome is StepOutcome.STARTED:
            endpoint.index = next((i for i, s in enumerate(endpoint.steps) if s.step == event.step), endpoint.index)
            endpoint.began = event.at
        elif event.outcome in (StepOutcome.DONE, StepOutcome.OBSERVED):
            self._note(endpoint.kind, StepName(event.step), event.seconds)
            endpoint.index, endpoint.began = endpoint.index + 1, None
            if endpoint.index >= len(endpoint.steps):
                del self._open[event.endpoint]
        elif event.outcome is StepOutcome.REMEDIED:
            self._overruns += 1
        elif event.outcome is StepOutcome.ISOLATED:
            self._overruns += 1
            del self._open[event.endpoint]

    def forecast(self, now: float) -> Forecast:
        """When the last rack ends, seen from `now`."""
        return self.prepared(now)()

    def prepared(self, now: float) -> Callable[[], Forecast]:
        """The same in two parts: the draws, which take long, need nothing of what events go on to change."""
        if not self._open:
            return lambda: Forecast(median=now, low=now, high=now)
        groups, segments, racks = self._groups(), self._segments(now), len(self._plan.racks)
        chance = random.Random(self._chance.random())  # noqa: S311 - as above

        ahead = [step.limit_s for each in self._open.values() for step in each.steps[each.index :]]
        risk = 1 - math.exp(-len(ahead) * (self._overruns + 0.5) / (sum(self._count.values()) + 1))

        def trial() -> float:
            left_s = end_of(groups, segments, racks, now, chance) - now
            if chance.random() < risk:  # of what is ahead, something goes on until its limit
                until_s = self._tempo.limit_s(chance.choice(ahead)) * chance.uniform(0.8, 1.3)
                left_s = max(left_s, left_s * chance.random() + until_s)
            return now + left_s * math.exp(chance.gauss(0, RUN_DOUBT))

        def draw() -> Forecast:
            ends = sorted(trial() for _ in range(TRIALS))
            middle, low, high = (ends[round(share * (TRIALS - 1))] for share in (0.5, LOW, HIGH))
            return Forecast(median=middle, low=low, high=high)

        return draw

    def _note(self, kind: Endpoint, step: StepName, seconds: float) -> None:
        key = kind, step
        self._count[key] += 1
        self._lately[key].append(seconds)
        if len(self._seen[key]) < KEPT:
            self._seen[key].append(seconds)
        elif (place := self._chance.randrange(self._count[key])) < KEPT:
            self._seen[key][place] = seconds

    def _spread(self, kind: Endpoint, step: Step, under_way: Sequence[float], pace: float) -> Spread:
        """What is known of a step; `pace` is how much slower this run is than what was to be expected."""
        done = self._lately.get((kind, step.step), ())
        usual, longest = (median(done), max(done)) if done else (0.0, math.inf)
        durations = [*done, *(_LONGER * elapsed for elapsed in under_way if usual < elapsed < longest)]
        if len(done) >= ENOUGH:
            return Spread(durations, _DOUBT)
        durations += [pace * seconds for seconds in self._expected(kind, step)]
        return Spread(durations, _DOUBT if (kind, step.step) in self._past else _GUESS_DOUBT)

    def _expected(self, kind: Endpoint, step: Step) -> Sequence[float]:
        """Of earlier runs, or guessed."""
        past = self._past.get((kind, step.step))
        return past.quantiles if past else [self._tempo.machine_s(share * step.limit_s) for share in _GUESS]

    def _pace(self) -> float:
        """How much slower the steps so far were than expected, as far as they were seen often enough."""
        logs = [
            math.log((median(done) + _BLINK_S) / (median(self._expected(kind, step)) + _BLINK_S))
            for kind, profile in self._plan.bring_up.kinds.items()
            for step in profile.steps
            if len(done := self._lately.get((kind, step.step), ())) >= ENOUGH
        ]
        return math.exp(fmean(logs)) if logs else 1.0

    def _groups(self) -> Groups:
        """Of all endpoints that have not ended: those of one rack that are at the same step stand together."""
        begins: dict[tuple[Endpoint, int, int], list[float | None]] = defaultdict(list)
        for endpoint in self._open.values():
            begins[endpoint.kind, endpoint.index, endpoint.rack].append(endpoint.began)
        groups: Groups = defaultdict(lambda: defaultdict(list))
        for (kind, index, rack), at in begins.items():
            known = [began for began in at if began is not None]
            groups[kind][index].append((rack, len(at), fmean(known) if known else None))
        return groups

    def _segments(self, now: float) -> Mapping[Endpoint, Sequence[Segment]]:
        """The steps of each kind, in an order in which nobody waits for a kind that comes later."""
        under_way: dict[tuple[Endpoint, int], list[float]] = defaultdict(list)
        for endpoint in self._open.values():
            if endpoint.began is not None:
                under_way[endpoint.kind, endpoint.index].append(now - endpoint.began)
        pace = self._pace()
        return {
            kind: [
                Segment(
                    spread=self._spread(kind, step, under_way[kind, index], pace),
                    after=tuple((each.kind, each.within) for each in step.after),
                    lines=self._lines(step),
                    limit_s=self._tempo.limit_s(step.limit_s),
                )
                for index, step in enumerate(profile.steps)
            ]
            for kind, profile in sorted(self._plan.bring_up.kinds.items(), key=lambda item: self._rank(item[0]))
        }

    def _rank(self, kind: Endpoint) -> int:
        needs = {after.kind for step in self._plan.bring_up.kind(kind).steps for after in step.after}
        return 1 + max((self._rank(each) for each in needs - {kind}), default=0)

    def _lines(self, step: Step) -> Sequence[Line]:
        """The budgets that a step holds, each as the racks that share it and how much of it one endpoint takes."""
        racks, limits = self._plan.racks, self._plan.limits
        return [
            Line(
                keys=[{"feed": rack.feed, "region": ""}.get(claim, rack.name) for rack in racks],
                shares=[min(1.0, (rack.tray_kw if claim == "feed" else 1.0) / limits[claim]) for rack in racks],
            )
            for claim in step.claims
        ]
