"""The same question to many devices at once. Owns that every answer is awaited and no error hides another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from components.errors import DeviceError

T = TypeVar("T")


async def on_all(
    names: Iterable[str], ask: Callable[[str], Awaitable[T]]
) -> tuple[dict[str, T], dict[str, DeviceError]]:
    """Answers and device errors by name. Any other error is a fault of the program and is raised."""
    ordered = list(names)
    answers = await asyncio.gather(*(ask(name) for name in ordered), return_exceptions=True)
    good: dict[str, T] = {}
    bad: dict[str, DeviceError] = {}
    for name, answer in zip(ordered, answers, strict=True):
        if isinstance(answer, DeviceError):
            bad[name] = answer
        elif isinstance(answer, BaseException):
            raise answer
        else:
            good[name] = answer
    return good, bad
