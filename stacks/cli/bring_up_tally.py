"""A bring-up in numbers while it runs: racks by state, endpoints that are ready, what failed and why.

Owns the counting; what is shown of it stands in bring_up_screen.py.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum

from components.engine.bring_up.event import StepEvent, StepOutcome
from components.plan.bring_up.compile import Plan
from components.spec.catalogue.bring_up import StepName
from components.spec.catalogue.firmware import Endpoint

RATE_S = 30.0
"""The rate is that of so many seconds past."""
_ORDER = {step.value: place for place, step in enumerate(StepName)}


class RackState(StrEnum):
    """Where a rack stands, as far as events tell."""

    WAITING = "waiting"
    UNDER_WAY = "under way"
    HANDED_OVER = "handed over"
    SHORT = "handed over short"
    """Some of its endpoints are isolated."""
    ISOLATED = "isolated"
    """No tray of it was handed over."""


class Tally:
    """Counts of one run."""

    def __init__(self, plan: Plan) -> None:
        self.racks = len(plan.racks)
        self.endpoints = sum(len(rack.endpoints) for rack in plan.racks)
        self.ready = 0
        """Endpoints through their last step."""
        self.acted = 0
        """Steps that changed something."""
        self.outcomes: Counter[StepOutcome] = Counter()
        self.causes: Counter[str] = Counter()
        """Isolated endpoints by cause."""
        self.at_step: Counter[str] = Counter()
        """Endpoints that are in a step, by step."""
        self._last = {kind: profile.steps[-1].step.value for kind, profile in plan.bring_up.kinds.items()}
        self._left = {rack.name: len(rack.endpoints) for rack in plan.racks}
        self._begun: set[str] = set()
        self._trays: Counter[str] = Counter()
        self._isolated: Counter[str] = Counter()
        self._ended: deque[float] = deque()

    def take(self, event: StepEvent) -> None:
        """Count one event."""
        self.outcomes[event.outcome] += 1
        match event.outcome:
            case StepOutcome.STARTED:
                self._begun.add(event.rack)
                self.at_step[event.step] += 1
            case StepOutcome.DONE | StepOutcome.OBSERVED:
                self.at_step[event.step] -= 1
                self.acted += event.outcome is StepOutcome.DONE
                self._ended.append(event.at)
                if event.step == self._last.get(Endpoint(event.kind)):
                    self.ready += 1
                    self._trays[event.rack] += event.kind == Endpoint.COMPUTE_TRAY
                    self._left[event.rack] -= 1
            case StepOutcome.FAILED:
                self.at_step[event.step] -= 1
                self._ended.append(event.at)
            case StepOutcome.ISOLATED:
                self.causes[event.cause] += 1
                self._isolated[event.rack] += 1
                self._left[event.rack] -= 1
            case StepOutcome.REMEDIED:
                pass

    def state(self, rack: str) -> RackState:
        """Of one rack."""
        if self._left[rack] > 0:
            return RackState.UNDER_WAY if rack in self._begun else RackState.WAITING
        if not self._trays[rack]:
            return RackState.ISOLATED
        return RackState.SHORT if self._isolated[rack] else RackState.HANDED_OVER

    def states(self) -> Counter[RackState]:
        """Racks by state."""
        return Counter(self.state(rack) for rack in self._left)

    def rate(self, now: float) -> float:
        """Steps that ended a second, lately."""
        while self._ended and self._ended[0] < now - RATE_S:
            self._ended.popleft()
        return len(self._ended) / RATE_S

    def steps(self) -> list[tuple[str, int]]:
        """Steps under way with the number of endpoints in each, in the order of a machine's way."""
        return sorted(((s, n) for s, n in self.at_step.items() if n > 0), key=lambda item: _ORDER.get(item[0], 99))
