"""A database of series for tests, at the wire: it answers PromQL's HTTP API with the few functions that metering asks.

It stands in for VictoriaMetrics where that is not built; tests/integration/test_metering_database.py holds the same load against
the real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import httpx

Points = Sequence[tuple[float, float]]
ASKED = re.compile(r"(\w+)\(([\w:]+)(?:\{(.*)\})?\[(\d+)ms\]\)")
MATCH = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')


def _increase(points: Points) -> float | None:
    if len(points) < 2:
        return None
    grown = 0.0
    for (_, before), (_, after) in pairwise(points):
        grown += after - before if after >= before else after
    return grown


FUNCTIONS: dict[str, Callable[[Points], float | None]] = {
    "first_over_time": lambda points: points[0][1],
    "last_over_time": lambda points: points[-1][1],
    "tfirst_over_time": lambda points: points[0][0],
    "tlast_over_time": lambda points: points[-1][0],
    "increase_prometheus": _increase,
}


@dataclass
class FakeMetrics:
    """Series by name and labels."""

    series: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, float]]] = field(
        default_factory=dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, float]]]
    )
    asked: list[str] = field(default_factory=list[str])

    def add(self, name: str, points: Points, **labels: str) -> None:
        """Samples of one series, in order of time."""
        self.series.setdefault((name, tuple(sorted(labels.items()))), []).extend(points)

    def transport(self) -> httpx.MockTransport:
        """The wire."""
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One question."""
        expression, at = request.url.params["query"], float(request.url.params["time"])
        self.asked.append(expression)
        found = ASKED.fullmatch(expression)
        if not found or found[1] not in FUNCTIONS:
            return httpx.Response(422, json={"status": "error", "error": f"not understood: {expression}"})
        function, name, selector, window = FUNCTIONS[found[1]], found[2], found[3] or "", int(found[4]) / 1000
        rows: list[dict[str, object]] = []
        for (metric, labels), points in self.series.items():
            inside = [point for point in points if at - window < point[0] <= at]
            if metric != name or not inside or not _matches(dict(labels), selector):
                continue
            value = function(inside)
            if value is not None:
                rows.append({"metric": dict(labels), "value": [at, str(value)]})
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": rows}})


def _matches(labels: dict[str, str], selector: str) -> bool:
    for name, operator, wanted in MATCH.findall(selector):
        value = labels.get(name, "")
        good = {
            "=": value == wanted,
            "!=": value != wanted,
            "=~": re.fullmatch(wanted, value) is not None,
        }[operator]
        if not good:
            return False
    return True
