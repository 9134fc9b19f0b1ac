"""An event loop whose time is computed: hours of waiting take no time, and the same program gives the same run."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Nothing comes from outside: waiting moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another: nothing will ever happen")
        self._loop.burn(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._now

    def burn(self, seconds: float) -> None:
        """Time goes by while this process computes: what is due meanwhile comes late."""
        self._now += max(0.0, seconds)


def run(main: Coroutine[Any, Any, T]) -> T:
    """The end of `main`, by a clock that nobody waits for."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def burn(seconds: float) -> None:
    """Compute for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.burn(seconds)
