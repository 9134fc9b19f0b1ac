"""How much was used, from what the cluster measured. Pure: rows of the metering in, sums out.

Two kinds of figures. A counter (requests, bytes, tokens) only grows, and begins at zero with its program: what it grew
by in a period is told by its value before the period, its first and last value in it, and its growth between those.
A lifetime (a device allocated to a claim, a pod) is there or not: it has a first and a last sample under one uid, and
was there all the time between, also where the metering itself was down. So both survive restarts of all that is
measured and of what measures, and the sums of two periods that meet are the sum of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.clients.metrics import Row

MARGIN_S = 900
"""Looked at before and after a period, to tell what goes on beyond it from what ended within."""
BEFORE_S = 86_400
"""How far back a counter's last value before a period is looked for: a longer outage of the metering bills what
a counter grew by in it to the period after."""

Key = tuple[tuple[str, str], ...]
"""All labels of a series."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """From, and until but without, in seconds of Unix time."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class Question:
    """One expression, and when it is asked."""

    expression: str
    at: float


def counter_questions(selector: str, period: Period) -> dict[str, Question]:
    """What is asked of a counter. `increase_prometheus` of VictoriaMetrics is the growth from the first to the last
    sample, resets taken out, and nothing made up at the edges."""
    window, at = f"[{_span(period.seconds)}]", period.end
    return {
        "first": Question(expression=f"first_over_time({selector}{window})", at=at),
        "within": Question(expression=f"increase_prometheus({selector}{window})", at=at),
        "before": Question(expression=f"last_over_time({selector}[{_span(BEFORE_S)}])", at=period.start),
    }


def growth(first: Iterable[Row], within: Iterable[Row], before: Iterable[Row]) -> dict[Key, float]:
    """By how much each series grew in the period."""
    grown, known = _by_key(within), _by_key(before)
    found: dict[Key, float] = {}
    for key, value in _by_key(first).items():
        earlier = known.get(key, 0.0)
        # Lower than before: the program began anew between, from zero.
        bridge = value - earlier if value >= earlier else value
        found[key] = bridge + grown.get(key, 0.0)
    return found


def lifetime_questions(selector: str, period: Period, now: float) -> dict[str, Question]:
    """What is asked of things that are there or not."""
    at = min(period.end + MARGIN_S, now)
    window = f"[{_span(at - period.start + MARGIN_S)}]"
    return {
        "first": Question(expression=f"tfirst_over_time({selector}{window})", at=at),
        "last": Question(expression=f"tlast_over_time({selector}{window})", at=at),
    }


def lifetimes(first: Iterable[Row], last: Iterable[Row], period: Period, interval_s: float) -> dict[Key, float]:
    """Seconds within the period that each series was there.

    It began up to one interval before its first sample and ended up to one after its last: half of one on each side
    is right on average, and each lifetime is right to one interval.
    """
    ends = _by_key(last)
    found: dict[Key, float] = {}
    for key, began in _by_key(first).items():
        start = max(period.start, began - interval_s / 2)
        end = min(period.end, ends.get(key, began) + interval_s / 2)
        if end > start:
            found[key] = end - start
    return found


def label(key: Key, name: str) -> str:
    """A label of a series; empty where it has none."""
    return next((value for each, value in key if each == name), "")


def _by_key(rows: Iterable[Row]) -> dict[Key, float]:
    return {_key(row.labels): row.value for row in rows}


def _key(labels: Mapping[str, str]) -> Key:
    return tuple(sorted((name, value) for name, value in labels.items() if name != "__name__"))


def _span(seconds: float) -> str:
    """A duration for PromQL, to the millisecond."""
    return f"{round(seconds * 1000)}ms"
