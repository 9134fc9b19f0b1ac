"""The words of the journal: actions, what devices show of them, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.plan.actions.action import ActionKind


class Observation(StrEnum):
    """What the device itself says of an action."""

    ABSENT = "absent"
    """Not done and not under way."""
    IN_PROGRESS = "in-progress"
    DONE = "done"


class Outcome(StrEnum):
    """What came of an action."""

    DONE = "done"
    """Acted, and it took effect."""
    OBSERVED = "observed"
    """Not acted in this run: it was done, or under way, when the device was looked at."""
    FAILED = "failed"
    NOT_CARRIED_OUT = "not-carried-out"
    """A killed run meant to act, and the device shows that it did not."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One physical action on one device."""

    target: str
    """Natural key of the device."""
    kind: ActionKind
    digest: str
    """Content that the action brings about, so that the same action is known again."""
    destructive: bool = False


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of history."""

    run: int
    scope: str
    pid: int
    target: str
    kind: str
    digest: str
    destructive: bool
    intent_at: float
    outcome_at: float | None
    outcome: str | None
    """None: under way, or its run was killed and no later run has looked yet."""
    detail: str | None
