"""What each action takes: seconds by kind of action and class of hardware, with the source of each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from components.plan.actions.action import DURATIONS_S

JOIN = "join"
"""Of one host to its cluster, on top of the playbook."""
SETTLE = "settle"
"""Of a fabric after its switches took their configuration."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One figure."""

    seconds: float
    source: str


@dataclass(frozen=True, kw_only=True)
class CostTable:
    """Figures by class of hardware; a class that lacks one takes the default's."""

    costs: Mapping[str, Mapping[str, Cost]]
    """Class -> kind of action -> figure."""
    classes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Rack profile, or model of a switch -> class."""
    default: str = "bench"

    def class_of(self, profile: str) -> str:
        """Class of a profile or a model."""
        return self.classes.get(profile, self.default)

    def cost(self, kind: str, of: str) -> Cost:
        """Of one action on hardware of this class."""
        for table in (self.costs.get(of, {}), self.costs.get(self.default, {}), BENCH):
            if kind in table:
                return table[kind]
        return Cost(seconds=0, source="none")


BENCH: Mapping[str, Cost] = MappingProxyType(
    {
        **{str(kind): Cost(seconds=seconds, source="bench") for kind, seconds in DURATIONS_S.items()},
        JOIN: Cost(seconds=5, source="bench"),
        SETTLE: Cost(seconds=15, source="bench"),
    }
)
"""What the bench took: the last resort."""


def cost_table(data: Mapping[str, Any], measured: Mapping[str, Any] | None = None) -> CostTable:
    """From the table's file, and what the region's own runs took (class -> kind -> seconds and count).

    A figure of our own runs replaces the table's.
    """
    costs: dict[str, dict[str, Cost]] = {
        name: {
            kind: Cost(seconds=float(seconds), source=str(said.get("source", name)))
            for kind, seconds in said["seconds"].items()
        }
        for name, said in data["classes"].items()
    }
    for name, kinds in (measured or {}).items():
        for kind, said in kinds.items():
            source = f"measured, {said['count']} times"
            costs.setdefault(name, {})[kind] = Cost(seconds=float(said["seconds"]), source=source)
    return CostTable(
        costs=MappingProxyType(costs),
        classes=MappingProxyType(dict(data.get("hardware", {}))),
        default=str(data.get("default", "bench")),
    )
