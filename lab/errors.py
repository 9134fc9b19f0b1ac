"""Errors of the lab that an operator reads: what was asked, what was found, what to do next."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence


class LabError(Exception):
    """The lab could not do what was asked."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        found: str | None = None,
        allowed: str | None = None,
        remedy: str | None = None,
        details: Sequence[str] = (),
    ) -> None:
        self.message = message
        self.found = found
        self.allowed = allowed
        self.remedy = remedy
        self.details = tuple(details)
        lines = [message, *(f"  {line}" for line in details)]
        for label, value in (("found", found), ("allowed", allowed), ("remedy", remedy)):
            if value is not None:
                lines.append(f"    {label}: {value}")
        super().__init__("\n".join(lines))


class WiringError(LabError):
    """wiring.json does not describe a lab that can be built; nothing has been touched."""

    exit_code = 2


class OwnerError(LabError):
    """This machine already runs a lab that belongs to somebody else."""

    exit_code = 4


def told(work: Callable[[], object]) -> int:
    """Do the work of a program; its exit code. An error is told in words, without a traceback."""
    try:
        work()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
