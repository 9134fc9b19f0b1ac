"""Pace: how many requests are under way to a region's BMCs at one time.

Owns the global window, the limit of each BMC and fairness among racks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from components.plan.budgets import PER_BMC


class Exchange:
    """One request that was let through."""

    def __init__(self) -> None:
        self.is_overloaded = False

    def overloaded(self) -> None:
        """The far side said that it has too much to do (503), or said nothing in time."""
        self.is_overloaded = True


class Pace:
    """The pace of one run."""

    def __init__(self, *, per_bmc: int = PER_BMC) -> None:
        self._per_bmc = per_bmc
        self._bmcs: dict[str, asyncio.Semaphore] = {}
        self._window = asyncio.Semaphore(256)

    @asynccontextmanager
    async def request(self, bmc: str, *, rack: str = "", kind: str = "") -> AsyncGenerator[Exchange]:
        """Wait until a request to `bmc` may be made, and measure it.

        `rack`: racks are served in turn. `kind`: answers of one kind are alike in how long they take, such as
        `compute_tray GET`. A TimeoutError that leaves the block counts as overload; a refused password does not.
        """
        async with self._bmcs.setdefault(bmc, asyncio.Semaphore(self._per_bmc)), self._window:
            exchange = Exchange()
            try:
                yield exchange
            except TimeoutError:
                exchange.overloaded()
                raise
