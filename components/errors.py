"""Errors that an operator reads.

Owns the one shape of a failure: what was asked of which thing, where it stands, what was found,
what is allowed, and what to do next. Every other module raises subclasses of `RegionError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One fault of an input or of a device, in the words that an operator needs."""

    path: str
    """Where: a spec path such as `racks[0].trays[2].serial`, or a device name."""
    message: str
    """What rule was broken, as a sentence."""
    found: str | None = None
    """The value that was found, unless it may be a secret."""
    allowed: str | None = None
    """What would have been accepted."""
    remedy: str | None = None
    """The next step: a file to edit or a command to run."""
    file: str | None = None
    """The file that holds the value, relative to the project."""
    line: int | None = None
    """Line in `file`, counted from 1."""
    rule: str | None = None
    """Stable id of the rule."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " if self.file and self.line else ""
        text = f"{where}{self.path}: {self.message}"
        for label, value in (("found", self.found), ("allowed", self.allowed), ("remedy", self.remedy)):
            if value is not None:
                text += f"\n    {label}: {value}"
        return text


class RegionError(Exception):
    """Base of all errors of this project; carries the problems that caused it."""

    exit_code = 1

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.message = message
        self.problems = tuple(problems)
        super().__init__("\n".join([message, *(f"  {p}" for p in self.problems)]))

    @property
    def reasons(self) -> str:
        """On one line, what was found: for where another text says what was asked and what to do."""
        return "; ".join(p.found or p.message for p in self.problems) or self.message


class SpecError(RegionError):
    """The description of a region is not acceptable; nothing has been touched."""

    exit_code = 2


class DeviceError(RegionError):
    """A machine, BMC, switch or service did not do what was asked."""

    exit_code = 3
