"""How many machines join a Kubernetes cluster at one time.

Owns the window of joins under way, found from what the API server shows while they run, and the order of those
that wait. Deliberately neither asks the API server nor makes tokens: clients/join_gate.py does.

A join is not a request: it is some twenty, most of them by a kubelet that nobody here can hold up once it runs.
So what counts is not how long our own requests take (engine/pace.py), but what others see of the API server, and
how far the signer of certificates is behind.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

START = 4
"""Joins at first. The window doubles with each round until the API server shows strain."""
SLOW_S = 1.0
"""A small read takes no longer on a healthy API server: Kubernetes' own objective for 99 % of requests."""
SLOWEST_S = 5.0
"""Half of what kubeadm gives a request: beyond this no API server is well."""
FEW = 2
"""Joins that no API server minds: what a read takes beside them is not of our making."""
BACKLOG = 40
"""Requests for a certificate that may wait: two seconds' work of a controller manager at its default of 20 a second."""
CUT = 0.6
"""What is left of the window when the API server shows strain."""
CAREFUL = 0.8
"""Part of a window under which strain showed; below it the window doubles again, above it grows by one a round."""
LOOK_EVERY_S = 0.5
LONGEST_GAP_S = 1.0
"""Starts are spread over time, but not beyond this: the window holds back the rest."""
_WEIGHT = 0.2
"""Of the newest value in a smoothed one."""


class TurnLeftError(Exception):
    """Whoever had the turn is gone without a word. That says nothing of the API server."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What the API server showed at one moment."""

    answer_s: float | None
    """How long a small read took; None if it was refused (429, 5xx), or not answered in time."""
    pending: int
    """Requests for a certificate without one."""


class JoinWindow:
    """How many joins may be under way; pure, told of everything with its time."""

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"a pace of {most} admits nobody; at least 1")
        self._most = most
        self._size = float(min(START, most))
        self._known_good = float("inf")
        self._is_held = False
        self._cut_at = float("-inf")
        self._calm_s = 0.0
        self.join_s = 1.0
        """Smoothed length of a join."""

    @property
    def size(self) -> int:
        """Joins that may be under way; none more are admitted while the API server shows strain."""
        return int(self._size)

    def has_room(self, under_way: int) -> bool:
        """One is always admitted: what strains the API server may not be joins at all, and joins must end."""
        return under_way == 0 or (not self._is_held and under_way < self.size)

    def joined(self, seconds: float, *, was_full: bool) -> None:
        """A join succeeded. The window grows only by joins that it held others back for."""
        self.join_s += _WEIGHT * (seconds - self.join_s)
        if was_full and not self._is_held:
            self._size = min(self._most, self._size + (1 if self._size < self._known_good else 1 / self._size))

    def failed(self, now: float) -> None:
        """A join failed: whatever the reason, more of them at once are no remedy."""
        self._shrink(now)

    def saw(self, sight: Sight, now: float, under_way: int) -> None:
        """Hold and shrink on strain, go on when it is over."""
        if sight.answer_s is not None and under_way <= FEW:
            self._calm_s += _WEIGHT * (sight.answer_s - self._calm_s)
        self._is_held = self._is_strain(sight)
        if self._is_held:
            self._shrink(now)

    def _is_strain(self, sight: Sight) -> bool:
        """A control plane that is slow anyway would hold everybody back for ever: it is judged by itself."""
        slow_s = min(SLOWEST_S, max(SLOW_S, 2 * self._calm_s))
        return sight.answer_s is None or sight.answer_s > slow_s or sight.pending > BACKLOG

    def _shrink(self, now: float) -> None:
        """Once a round: what is under way was admitted before, and shows for as long as it lasts."""
        if now - self._cut_at < self.join_s:
            return
        self._cut_at = now
        self._known_good = CAREFUL * self._size
        self._size = max(1.0, self._size * CUT)


class JoinPace:
    """The joins of one cluster, whoever runs them."""

    def __init__(self, most: int, *, seed: int | None = None) -> None:
        self.window = JoinWindow(most)
        self._random = random.Random(seed)  # noqa: S311 - spreads starts, hides nothing
        self._first = asyncio.Lock()
        self._control_plane = asyncio.Lock()
        self._changed = asyncio.Event()
        self._under_way = 0

    @property
    def under_way(self) -> int:
        """Joins that were let through and have not ended."""
        return self._under_way

    @asynccontextmanager
    async def turn(self, *, control_plane: bool = False) -> AsyncGenerator[None]:
        """Wait until a machine may join, and count it until the block ends; an exception says that it failed.

        TurnLeftError is let through as any other, and counts as neither success nor failure.

        Members of the control plane join one after another: etcd takes one new member at a time as a learner, and
        refuses the next until that one votes.
        """
        if control_plane:
            async with self._control_plane, self._slot():
                yield
        else:
            async with self._slot():
                yield

    async def observe(self, look: Callable[[], Awaitable[Sight]]) -> None:
        """Look at the API server, again and again, for as long as there are joins to pace."""
        while True:
            self.saw(await look())
            await asyncio.sleep(LOOK_EVERY_S)

    def saw(self, sight: Sight) -> None:
        """Take account of one look."""
        self.window.saw(sight, _now(), self._under_way)
        self._changed.set()

    @asynccontextmanager
    async def _slot(self) -> AsyncGenerator[None]:
        async with self._first:  # in the order they came, one start after another
            while not self.window.has_room(self._under_way):
                self._changed.clear()
                await self._changed.wait()
            await asyncio.sleep(self._gap())
            self._under_way += 1
        began = _now()
        try:
            yield
        except TurnLeftError:
            raise
        except Exception:
            self.window.failed(_now())
            raise
        else:
            self.window.joined(_now() - began, was_full=self._under_way >= self.window.size)
        finally:
            self._under_way -= 1
            self._changed.set()

    def _gap(self) -> float:
        """Spreads a window of starts over half a join, with jitter, so that no two walk in step."""
        return min(LONGEST_GAP_S, self._random.random() * self.window.join_s / self.window.size)


def _now() -> float:
    return asyncio.get_running_loop().time()
