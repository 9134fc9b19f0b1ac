"""What stands where: sites, the delays between them, and the points of the network at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Point:
    """One namespace: a client, an edge or a name server."""

    name: str
    """Short: it becomes a part of the namespace's name."""
    site: str
    addresses: tuple[str, ...]
    """The first is the one that it calls from."""


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Round trips, ms."""

    between: Mapping[tuple[str, str], float]
    """Two sites in the order of their names -> round trip."""
    local_ms: float
    """Round trip between two points of one site: what a city's access network takes."""

    def rtt_ms(self, one: str, other: str) -> float:
        """Round trip between two sites."""
        if one == other:
            return self.local_ms
        first, second = sorted((one, other))
        return self.between[first, second]


def as_data(points: tuple[Point, ...], distances: Distances, spaces: Mapping[str, str]) -> dict[str, Any]:
    """Of all pairs of points the delay of one way, as the delay link reads it."""
    return {
        "points": [
            {"name": p.name, "site": p.site, "namespace": spaces[p.name], "addresses": list(p.addresses)}
            for p in points
        ],
        "one_way_ms": {
            f"{one} {other}": distances.rtt_ms(one, other) / 2
            for one in sorted({p.site for p in points})
            for other in sorted({p.site for p in points})
        },
    }
