"""What earlier bring-ups of a region took, step by step: a small file that a run leaves for the next one.

Owns the form of the file. Durations are kept as quantiles, so it stays small whatever the size of the fleet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from components.spec.catalogue.bring_up import StepName
from components.spec.catalogue.firmware import Endpoint

SCHEMA = 1
_POINTS = 20
"""Quantiles kept of a step, and the least and the longest."""


@dataclass(frozen=True, kw_only=True)
class StepSpread:
    """Durations of one step of one kind of endpoint."""

    count: int
    quantiles: tuple[float, ...]
    """Evenly spaced, the shortest and the longest included."""

    def durations(self) -> Sequence[float]:
        """As many durations as stand for it beside a run's own."""
        return self.quantiles


@dataclass(frozen=True, kw_only=True)
class History:
    """Of the last run that got far enough to teach something."""

    compression: float
    """Of the simulated fleet: what took so long there says nothing of another compression, or of hardware (1)."""
    steps: Mapping[tuple[Endpoint, StepName], StepSpread]

    @classmethod
    def of(
        cls,
        durations: Mapping[tuple[Endpoint, StepName], Sequence[float]],
        counts: Mapping[tuple[Endpoint, StepName], int],
        compression: float,
    ) -> History:
        """From samples of the durations of one run."""
        return cls(
            compression=compression,
            steps={
                key: StepSpread(count=counts[key], quantiles=_quantiles(sample)) for key, sample in durations.items()
            },
        )

    def spreads(self, compression: float) -> Mapping[tuple[Endpoint, StepName], StepSpread]:
        """What a run at this compression may use."""
        return self.steps if compression == self.compression else {}

    def merged(self, newer: History) -> History:
        """Steps that the newer one saw, and those of before that it did not (a resumed run sees few)."""
        if newer.compression != self.compression:
            return newer
        kept = {key: spread for key, spread in newer.steps.items() if spread.count >= self._count(key) // 2}
        return History(compression=newer.compression, steps={**self.steps, **kept})

    def _count(self, key: tuple[Endpoint, StepName]) -> int:
        return self.steps[key].count if key in self.steps else 0

    def text(self) -> str:
        """The file."""
        steps = {
            f"{kind}/{step}": {"count": s.count, "quantiles": s.quantiles} for (kind, step), s in self.steps.items()
        }
        return json.dumps({"schema": SCHEMA, "compression": self.compression, "steps": steps}, indent=1) + "\n"

    @classmethod
    def read(cls, text: str) -> History | None:
        """A file; None for one that another version wrote, or that is damaged: a forecast can do without."""
        try:
            found = cast("dict[str, Any]", json.loads(text))
            if found["schema"] != SCHEMA:
                return None
            return cls(
                compression=float(found["compression"]),
                steps={
                    _key(name): StepSpread(count=int(s["count"]), quantiles=tuple(float(q) for q in s["quantiles"]))
                    for name, s in found["steps"].items()
                    if s["quantiles"]
                },
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def _key(name: str) -> tuple[Endpoint, StepName]:
    kind, _, step = name.partition("/")
    return Endpoint(kind), StepName(step)


def _quantiles(sample: Sequence[float]) -> tuple[float, ...]:
    ordered = sorted(sample)
    return tuple(round(ordered[round(n / _POINTS * (len(ordered) - 1))], 3) for n in range(_POINTS + 1))
