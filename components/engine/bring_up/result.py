"""What came of a bring-up: racks by end state, failures by cause."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from components.plan.bring_up.cause import RUNBOOKS, Cause


class RackEnd(StrEnum):
    """How a rack ended."""

    HANDED_OVER = "handed-over"
    """All of it."""
    HANDED_OVER_SHORT = "handed-over-short"
    """Without some trays or shelves, as many as the region's spares allow."""
    ISOLATED = "isolated"
    """Too much of it failed. What is in order is ready and waits for the repair; Ironic has none of it."""


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """An endpoint that a person has to look at."""

    rack: str
    endpoint: str
    kind: str
    step: str
    cause: Cause
    detail: str

    @property
    def runbook(self) -> str:
        """Path of the runbook."""
        return RUNBOOKS[self.cause]


@dataclass(frozen=True, kw_only=True)
class RackResult:
    """One rack."""

    rack: str
    end: RackEnd
    reason: str
    """In words, where it is not whole."""
    handed_over: tuple[str, ...]
    """Trays that Ironic has, by name."""
    isolated: tuple[Isolation, ...]


@dataclass(frozen=True, kw_only=True)
class CauseGroup:
    """Failures of one class."""

    cause: Cause
    endpoints: tuple[str, ...]
    runbook: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """The whole run."""

    racks: tuple[RackResult, ...]
    endpoints: int
    seconds: float

    def by_end(self) -> dict[RackEnd, int]:
        """Number of racks by end state, each state named."""
        return {end: sum(rack.end is end for rack in self.racks) for end in RackEnd}

    def by_cause(self) -> tuple[CauseGroup, ...]:
        """Failures grouped, the most frequent first."""
        groups: dict[Cause, list[str]] = defaultdict(list)
        for rack in self.racks:
            for isolation in rack.isolated:
                groups[isolation.cause].append(isolation.endpoint)
        made = (CauseGroup(cause=c, endpoints=tuple(names), runbook=RUNBOOKS[c]) for c, names in groups.items())
        return tuple(sorted(made, key=lambda group: (-len(group.endpoints), group.cause)))
