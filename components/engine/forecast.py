"""When a bring-up will be over: from what it did so far, and from earlier runs.

Owns the forecast, an interval as well as a time. Every step of every kind of endpoint has a spread of durations: of
this run, of earlier ones (`forecast_history.py`), or a wide guess from its limit before anything was seen. What is left
of all racks is drawn from these many times over (`forecast_trial.py`). Pure.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from components.engine.bring_up.event import StepEvent, StepOutcome
from components.engine.forecast_history import History, StepSpread
from components.engine.forecast_trial import Groups, Line, Segment, Spread, end_of
from components.plan.bring_up.compile import Plan
from components.spec.catalogue.bring_up import Step, StepName
from components.spec.catalogue.firmware import Endpoint

TRIALS = 60
KEPT = 400
"""Durations of a step that are kept of this run: a sample, once there are more."""
_GUESS = (0.08, 0.12, 0.18)
_GUESS_DOUBT = 0.9
"""Shares of its limit in which a step ends of which nothing is known, and how far this may be off: to 4 times."""
LEAST_DOUBT = 0.03
"""Machines that have not come to a step yet may be others than those that have."""
LOW, HIGH = 0.05, 0.95
LEAST_SHARE = 0.08
"""No interval is narrower to a side than this share of what is left: the spreads are not known better."""


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

    def __init__(self, plan: Plan, *, compression: float = 1.0, history: History | None = None, seed: int = 0) -> None:
        self._plan, self._compression = plan, compression
        self._chance = random.Random(seed)  # noqa: S311 - draws of a forecast, not of a secret
        self._open = {
            each.name: _Endpoint(number, each.kind, plan.bring_up.kind(each.kind).steps)
            for number, rack in enumerate(plan.racks)
            for each in rack.endpoints
        }
        self._seen: dict[tuple[Endpoint, StepName], list[float]] = defaultdict(list)
        self._count: dict[tuple[Endpoint, StepName], int] = defaultdict(int)
        self._past: Mapping[tuple[Endpoint, StepName], StepSpread] = history.spreads(compression) if history else {}

    @property
    def history(self) -> History:
        """What later runs may learn from this one."""
        return History.of(self._seen, self._count, self._compression)

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
        elif event.outcome is StepOutcome.ISOLATED:
            del self._open[event.endpoint]

    def forecast(self, now: float) -> Forecast:
        """When the last rack ends, seen from `now`."""
        return self.prepared(now)()

    def prepared(self, now: float) -> Callable[[], Forecast]:
        """The same in two parts: the draws, which take long, need nothing of what events go on to change."""
        if not self._open:
            return lambda: Forecast(median=now, low=now, high=now)
        groups, segments, racks = self._groups(), self._segments(), len(self._plan.racks)
        chance = random.Random(self._chance.random())  # noqa: S311 - as above

        def draw() -> Forecast:
            ends = sorted(end_of(groups, segments, racks, now, chance) for _ in range(TRIALS))
            median, low, high = (ends[round(share * (TRIALS - 1))] for share in (0.5, LOW, HIGH))
            least = LEAST_SHARE * (median - now)
            return Forecast(median=median, low=max(now, min(low, median - least)), high=max(high, median + least))

        return draw

    def _note(self, kind: Endpoint, step: StepName, seconds: float) -> None:
        key = kind, step
        self._count[key] += 1
        if len(self._seen[key]) < KEPT:
            self._seen[key].append(seconds)
        elif (place := self._chance.randrange(self._count[key])) < KEPT:
            self._seen[key][place] = seconds

    def _spread(self, kind: Endpoint, step: Step) -> Spread:
        """What is known of a step: earlier runs stand beside this one's until it has seen enough."""
        durations = list(self._seen.get((kind, step.step), ()))
        past = self._past.get((kind, step.step))
        if past is not None and len(durations) < KEPT:
            durations += past.quantiles
        if not durations:
            return Spread([share * step.limit_s / self._compression for share in _GUESS], _GUESS_DOUBT)
        return Spread(durations, max(LEAST_DOUBT, min(_GUESS_DOUBT, 0.7 / math.sqrt(len(durations)))))

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

    def _segments(self) -> Mapping[Endpoint, Sequence[Segment]]:
        """The steps of each kind, those that wait for others first: nobody waits for a kind that comes after it."""
        return {
            kind: [
                Segment(
                    spread=self._spread(kind, step),
                    after=tuple((each.kind, each.within) for each in step.after),
                    lines=self._lines(step),
                )
                for step in profile.steps
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
