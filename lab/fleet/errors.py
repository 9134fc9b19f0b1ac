"""Errors of the simulated fleet, and how a refused file becomes one: every fault of it at once."""

from __future__ import annotations

from pydantic import ValidationError

from lab.errors import LabError


class FleetError(LabError):
    """What was given does not describe a fleet; nothing was started."""

    exit_code = 2


class NotServedError(FleetError):
    """The fleet is described, and this machine does not let it serve: its port or its state is in use."""

    exit_code = 1


def faults(error: ValidationError) -> list[str]:
    """All faults that pydantic found, each with its place, as an operator reads them."""
    lines: list[str] = []
    for each in error.errors(include_url=False):
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in each["loc"]).lstrip(".")
        # The value of a password is no part of a message.
        found = "" if isinstance(each["input"], dict | list) or "password" in place else f", found {each['input']!r}"
        lines.append(f"{place or 'the file'}: {each['msg']}{found}")
    return lines
