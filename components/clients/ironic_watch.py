"""Waiting for nodes: one loop of bulk requests, however many wait.

A thousand trays that each poll their own node would be a thousand requests a turn; here they share one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.clients.ironic import Ironic
from components.clients.ironic_model import Node
from components.errors import DeviceError

POLL_S = 1.0
REST = 3.0
"""Pause after a poll, in times of what it took: 4,500 nodes cost Ironic's API 1.3 processor seconds a poll."""
FAILED_POLLS = 3
"""Polls in a row that may fail (each with its own retries) before all who wait are told."""

View = Mapping[str, Node]


@dataclass
class _Waiter:
    name: str
    accept: Callable[[Node | None], bool]
    result: asyncio.Future[Node | None]
    since: float


class NodeWatch:
    """Watches the nodes of one Ironic while anybody waits."""

    def __init__(self, ironic: Ironic, poll_s: float = POLL_S) -> None:
        self._ironic = ironic
        self._poll_s = poll_s
        self._waiters: list[_Waiter] = []
        self._loop: asyncio.Task[None] | None = None

    async def until(self, name: str, accept: Callable[[Node | None], bool], timeout_s: float) -> Node | None:
        """The node, once `accept` is true of it; raises TimeoutError.

        Only views that were asked for after this call count: an older one may show a state from before
        the request that the caller has just made.
        """
        result: asyncio.Future[Node | None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(name, accept, result, time.monotonic())
        self._waiters.append(waiter)
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._poll())
            self._loop.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(timeout_s):
                return await result
        finally:
            self._waiters.remove(waiter)

    async def close(self) -> None:
        """Stop polling."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])

    async def _poll(self) -> None:
        failed = 0
        while self._waiters:
            asked = time.monotonic()
            try:
                view = await self._ironic.nodes()
            except DeviceError:
                failed += 1
                if failed >= FAILED_POLLS:
                    raise
            else:
                failed = 0
                self._answer(view, asked)
            await asyncio.sleep(max(self._poll_s, REST * (time.monotonic() - asked)))

    def _ended(self, loop: asyncio.Task[None]) -> None:
        """Whoever still waits gets what ended the loop; it has no caller of its own."""
        error = None if loop.cancelled() else loop.exception()
        if error is not None:
            for waiter in self._waiters:
                if not waiter.result.done():
                    waiter.result.set_exception(error)

    def _answer(self, view: View, asked: float) -> None:
        for waiter in self._waiters:
            node = view.get(waiter.name)
            if asked >= waiter.since and not waiter.result.done() and waiter.accept(node):
                waiter.result.set_result(node)
