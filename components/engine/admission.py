"""Admission: how much may be under way at once.

Owns the counts that keep BMCs, Ironic's conductors and racks safe when a whole region moves. Waiting
happens here, in our process, because what is behind the limits rejects instead of queueing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class KeyedLimit:
    """At most `limit` holders for each key; the others wait in the order they came."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"a limit of {limit} admits nobody; at least 1")
        self._limit = limit
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def slot(self, key: str) -> AsyncGenerator[None]:
        """Hold one of the key's slots."""
        slots = self._slots.setdefault(key, asyncio.Semaphore(self._limit))
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with slots:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:  # no holder, no waiter: forget the key
                del self._users[key], self._slots[key]


class Admission:
    """The limits of one provider process."""

    def __init__(
        self, *, per_bmc: int = 4, deploys: int = 100, cleans: int = 40, destructive_per_rack: int = 2
    ) -> None:
        self.bmc = KeyedLimit(per_bmc)
        """By BMC address: BMCs serve few requests at once, and a chassis BMC serves several trays."""
        self.deploys = KeyedLimit(deploys)
        """By Ironic URL. Ironic rejects above max_concurrent_deploy (250) instead of queueing; below
        it, so that several stacks fit beside each other."""
        self.cleans = KeyedLimit(cleans)
        """By Ironic URL; Ironic's max_concurrent_clean is 50."""
        self.destructive = KeyedLimit(destructive_per_rack)
        """By rack: trays in use that may be wiped at the same time."""
