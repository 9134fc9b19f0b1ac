"""How a comparison becomes a result: one helper for the checks of a cluster and of its runtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from components.checks.result import CheckResult, Status


def judged(name: str, *, good: bool, expected: str, found: str, remedy: str, bad: Status = Status.FAIL) -> CheckResult:
    """OK without a remedy, or `bad` with it."""
    return CheckResult(
        name=name,
        status=Status.OK if good else bad,
        expected=expected,
        found=found,
        remedy=None if good else remedy,
    )


def skipped(name: str, *, expected: str, remedy: str) -> CheckResult:
    """Not looked at, because nobody asked for it."""
    return CheckResult(name=name, status=Status.SKIP, expected=expected, found="not looked at", remedy=remedy)


def name_of(thing: Mapping[str, Any]) -> str:
    """Name of a Kubernetes object."""
    return str(thing["metadata"]["name"])


def condition(thing: Mapping[str, Any] | None, kind: str) -> tuple[bool, str]:
    """Whether a condition of an object is True, and what the object says of it."""
    if thing is None:
        return False, "not there"
    for found in cast("Iterable[Mapping[str, Any]]", thing.get("status", {}).get("conditions") or ()):
        if found["type"] == kind:
            words = ": ".join(str(found[key]) for key in ("reason", "message") if found.get(key))
            return found["status"] == "True", f"{kind} is {found['status']}" + (f" ({words})" if words else "")
    return False, f"no word of {kind} yet"
