"""Draws a bring-up that was recorded: racks by state over time, as SVG.

`region up REGION --fleet sim:SCENARIO.yaml --json > run.jsonl`, then
`python -m benchmarks.bring_up_plot run.jsonl docs/pictures/bring-up.svg`. A rack is in the state of the first kind of
endpoint in its order that has not ended; the picture is made of the events alone.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

STATES: Mapping[str, tuple[str, str]] = {
    "handed-over": ("handed over", "#2f9e63"),
    "compute_tray": ("at compute trays", "#2c7fb8"),
    "dpu": ("at DPUs", "#7fb8da"),
    "nvlink_switch": ("at NVLink switch trays", "#c9a227"),
    "power_shelf": ("at power shelves", "#e3cf86"),
    "isolated": ("isolated", "#b8433a"),
}
"""From the bottom to the top of the picture."""
ORDER = ("power_shelf", "nvlink_switch", "dpu", "compute_tray")
WIDTH, HEIGHT = 860, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 190, 40, 48
SLICES = 240


def counts(events: Sequence[Mapping[str, Any]], slices: int = SLICES) -> tuple[list[Counter[str]], float]:
    """Racks by state at evenly spaced times, and how long it all took."""
    # An event that ends an endpoint is its last one: of an endpoint that failed, `isolated`.
    last = {event["endpoint"]: n for n, event in enumerate(events)}
    kinds = {event["endpoint"]: event["endpoint_kind"] for event in events}
    racks = {event["endpoint"]: event["rack"] for event in events}
    left: dict[str, Counter[str]] = defaultdict(Counter)
    for endpoint, kind in kinds.items():
        left[racks[endpoint]][kind] += 1
    trays: Counter[str] = Counter()
    began, ended = events[0]["at"], events[-1]["at"]
    found: list[Counter[str]] = []
    for n, event in enumerate(events):
        while len(found) <= slices * (event["at"] - began) / (ended - began) - 1e-9:
            found.append(Counter(_state(left[rack], trays[rack]) for rack in left))
        if last[event["endpoint"]] == n:
            left[event["rack"]][event["endpoint_kind"]] -= 1
            trays[event["rack"]] += event["step"] == "hand-over" and event["outcome"] in ("done", "observed")
    found.append(Counter(_state(left[rack], trays[rack]) for rack in left))
    return found, ended - began


def _state(left: Counter[str], trays: int) -> str:
    kind = next((kind for kind in ORDER if left[kind]), None)
    return kind or ("handed-over" if trays else "isolated")


def picture(found: Sequence[Counter[str]], seconds: float, title: str) -> str:
    """The SVG."""
    racks = sum(found[-1].values())
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(place: float) -> float:
        return LEFT + width * place / (len(found) - 1)

    def y(count: float) -> float:
        return TOP + height * (1 - count / racks)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" fill="#222">{title}</text>',
    ]
    base = [0] * len(found)
    for place, (state, (words, colour)) in enumerate(STATES.items()):
        top = [low + counted[state] for low, counted in zip(base, found, strict=True)]
        up = " ".join(f"{x(n):.1f},{y(v):.1f}" for n, v in _stairs(top))
        down = " ".join(f"{x(n):.1f},{y(v):.1f}" for n, v in reversed(list(_stairs(base))))
        parts.append(f'<polygon points="{up} {down}" fill="{colour}"/>')
        at = HEIGHT - BOTTOM - 14 - 24 * place
        parts.append(f'<rect x="{WIDTH - RIGHT + 16}" y="{at - 11}" width="13" height="13" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 36}" y="{at}" fill="#222">{words}</text>')
        base = top
    for share in (0, 0.25, 0.5, 0.75, 1):
        at = LEFT + width * share
        parts.append(f'<line x1="{at:.1f}" y1="{TOP + height}" x2="{at:.1f}" y2="{TOP + height + 5}" stroke="#555"/>')
        parts.append(
            f'<text x="{at:.1f}" y="{TOP + height + 20}" text-anchor="middle" fill="#333">{seconds * share:.0f} s</text>'
        )
    parts += [
        f'<text x="{LEFT - 8}" y="{y(count) + 4:.1f}" text-anchor="end" fill="#333">{count}</text>'
        for count in sorted({0, racks // 2, racks})
    ]
    side = f"{TOP + height / 2:.0f}"
    parts.append(
        f'<text x="14" y="{side}" transform="rotate(-90 14 {side})" text-anchor="middle" fill="#333">racks</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _stairs(values: Sequence[int]) -> Iterable[tuple[float, int]]:
    """A count holds until it changes: no slope between two."""
    yield 0, values[0]
    for n, (before, after) in enumerate(pairwise(values), 1):
        if after != before:
            yield n, before
            yield n, after
    yield len(values) - 1, values[-1]


def main() -> None:
    """Read a run, write its picture."""
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    events = [line for text in source.read_text().splitlines() if (line := json.loads(text))["kind"] == "step"]
    found, seconds = counts(events)
    racks, endpoints = sum(found[-1].values()), len({event["endpoint"] for event in events})
    out.write_text(picture(found, seconds, f"Bring-up of {racks} racks, {endpoints:,} simulated endpoints"))
    print(f"{out}: {dict(found[-1])} after {seconds:.0f} s")


if __name__ == "__main__":
    main()
