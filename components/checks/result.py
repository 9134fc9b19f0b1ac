"""What a check says. Owns the result's shape; checks themselves live beside it, one module a layer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Outcome of a check, ordered from good to bad."""

    OK = "ok"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check: what was expected, what was found, and the way out."""

    name: str
    """Stable id such as `fabric.bgp.lab-leaf1`."""
    status: Status
    expected: str
    found: str
    remedy: str | None = None
    """Next step and runbook, given whenever status is not ok."""


def worst(results: Iterable[CheckResult]) -> Status:
    """The worst status of all results; ok if there is none."""
    order = list(Status)
    return max((r.status for r in results), key=order.index, default=Status.OK)
