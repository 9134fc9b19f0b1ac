"""Pace: how many requests are under way to a region's BMCs at one time.

Owns who waits for what: a BMC serves few requests at once, all of them together no more than the window, which
tunes itself (window.py). Endpoints that others wait for get most of it, or a rack's longest chain would begin when
the last of thousands that have time was looked at; among equals racks are served in turn, so that one with much to do
keeps none waiting (turns.py). Waiting happens here, in our process, because what is behind the limits rejects instead
of queueing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from components.engine.turns import Turns
from components.engine.window import Window
from components.plan.budgets import PER_BMC

TICK_S = 0.05
"""How often the event loop is asked whether it runs late."""
PAUSE_S = 0.1
"""So late, this process stood still, for its collector or because others have the processor. Answers that came
meanwhile were read late, and do not say that BMCs are slow: taken for that, a pause of 0.2 s twice a second closed the
window altogether."""


class Exchange:
    """One request that was let through."""

    def __init__(self) -> None:
        self.is_overloaded = False

    def overloaded(self) -> None:
        """The far side said that it has too much to do (503), or said nothing in time."""
        self.is_overloaded = True


@dataclass(eq=False)
class _Bmc:
    """What is known of a BMC."""

    allowed: float
    """Requests at a time: less than the limit after it was overloaded."""
    taken: int = 0
    """Requests under way, or next in their rack's line."""
    is_well: bool = True
    """Its last answer was none of overload."""
    line: deque[_Waiter] = field(default_factory=deque["_Waiter"])

    @property
    def has_room(self) -> bool:
        return self.taken < int(self.allowed)


@dataclass(eq=False)
class _Waiter:
    """A request that was not let through yet."""

    bmc: _Bmc
    rack: str
    turn: int
    granted: asyncio.Future[None]
    has_bmc: bool = False
    is_out: bool = False
    """Cancelled, and found so when it was its turn."""


class Pace:
    """The pace of one run."""

    def __init__(self, *, per_bmc: int = PER_BMC, window: Window | None = None) -> None:
        self.window = window or Window()
        self.in_flight = 0
        self.most_in_flight = 0
        self._per_bmc = per_bmc
        self._bmcs: dict[str, _Bmc] = {}
        self._turns: Turns[_Waiter] = Turns()
        """Those whose BMC has room."""
        self._paused_until = 0.0
        self._tick: asyncio.TimerHandle | None = None
        self._due = 0.0

    @asynccontextmanager
    async def request(self, bmc: str, *, rack: str = "", turn: int = 0, kind: str = "") -> AsyncGenerator[Exchange]:
        """Wait until a request to `bmc` may be made, and measure it.

        `turn`: each gets half of what the one below it gets; 0 is for what others wait for. `rack`: racks are served
        in turn. `kind`: answers of one kind are alike in how long they take, such as `compute_tray GET`. A
        TimeoutError that leaves the block counts as overload; any other error, such as a refused password, says
        nothing of load.
        """
        loop = asyncio.get_running_loop()
        there = await self._enter(bmc, rack, turn)
        exchange = Exchange()
        began = loop.time()
        number = self.window.begun(kind, rack, self.in_flight, began)
        is_answer = False
        try:
            yield exchange
            is_answer = True
        except TimeoutError:
            exchange.overloaded()
            raise
        finally:
            if exchange.is_overloaded:
                self.window.ended(number, kind)
                self._note_overload(there, rack)
            elif is_answer:
                if began < self._paused_until:
                    self.window.disturbed(number, kind)
                else:
                    self.window.answered(number, kind, loop.time() - began)
                there.is_well = True
                there.allowed = min(self._per_bmc, there.allowed + 0.25)
            else:
                self.window.ended(number, kind)
            self._leave(bmc, there)

    def _note_overload(self, bmc: _Bmc, rack: str) -> None:
        """One that was overloaded just before tells nothing new."""
        if bmc.is_well:
            self.window.overloaded(rack)
        bmc.is_well = False
        bmc.allowed = max(1.0, bmc.allowed / 2)

    async def _enter(self, name: str, rack: str, turn: int) -> _Bmc:
        if self._tick is None:
            self._set_tick()
        if (bmc := self._bmcs.get(name)) is None:
            bmc = self._bmcs[name] = _Bmc(float(self._per_bmc))
        if not self._turns and bmc.has_room and not bmc.line and self.in_flight < int(self.window.size):
            bmc.taken += 1
            self._count()
            return bmc
        waiter = _Waiter(bmc, rack, turn, asyncio.get_running_loop().create_future())
        bmc.line.append(waiter)
        self._serve(bmc)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise
        return bmc

    def _count(self) -> None:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def _serve(self, bmc: _Bmc) -> None:
        """Let those whose BMC has room into the line of their turn and rack, and the first of these through."""
        while bmc.line and bmc.has_room:
            waiter = bmc.line.popleft()
            if waiter.granted.cancelled():
                waiter.is_out = True
                continue
            waiter.has_bmc = True
            bmc.taken += 1
            self._turns.add(waiter, turn=waiter.turn, rack=waiter.rack)
        self._let_through()

    def _let_through(self) -> None:
        while self._turns and self.in_flight < int(self.window.size):
            waiter = self._turns.take()
            if waiter.granted.cancelled():
                waiter.is_out = True
                waiter.bmc.taken -= 1
                continue
            self._count()
            waiter.granted.set_result(None)

    def _withdraw(self, waiter: _Waiter) -> None:
        """Take out one that was cancelled."""
        if waiter.granted.cancelled():
            if waiter.has_bmc and not waiter.is_out:
                self._turns.remove(waiter, turn=waiter.turn, rack=waiter.rack)
                waiter.bmc.taken -= 1
            elif not waiter.is_out:
                waiter.bmc.line.remove(waiter)
        else:  # let through in the same moment
            self.in_flight -= 1
            waiter.bmc.taken -= 1
        self._serve(waiter.bmc)

    def _leave(self, name: str, bmc: _Bmc) -> None:
        self.in_flight -= 1
        bmc.taken -= 1
        self._serve(bmc)
        if not bmc.taken and not bmc.line and bmc.is_well and bmc.allowed >= self._per_bmc:
            self._bmcs.pop(name, None)  # nothing to remember

    def _set_tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + TICK_S
        self._tick = loop.call_at(self._due, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._due > PAUSE_S:
            self._paused_until = now
        self.window.look(now, now - self._due, is_limited=bool(self._turns))
        self._let_through()
        if self.in_flight or self._turns:
            self._set_tick()
        else:
            self._tick = None
