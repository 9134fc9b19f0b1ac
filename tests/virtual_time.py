"""An event loop whose time is computed: hours of waiting take no time, and the same program gives the same run."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class AtOnce(Executor):
    """In place of threads: what they would do is done here and now, and takes no time of this clock."""

    def __init__(self, *_: object, **__: object) -> None:
        """Whatever a pool of threads is made with."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = Future[T]()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


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
    """Starts at 0. What is given to a thread of the loop's own (`asyncio.to_thread`) is done at once."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Selector(self))
        self._at_once = AtOnce()

    def time(self) -> float:
        return self._now

    def burn(self, seconds: float) -> None:
        """Time goes by while this process computes: what is due meanwhile comes late."""
        self._now += max(0.0, seconds)

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        return super().run_in_executor(executor or self._at_once, func, *args)


def run(main: Coroutine[Any, Any, T]) -> T:
    """The end of `main`, by a clock that nobody waits for."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def burn(seconds: float) -> None:
    """Compute for so long."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.burn(seconds)
