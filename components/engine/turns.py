"""Who of those that wait is next: mostly what others wait for, and among equals racks one after the other.

Pure; what is kept is whatever the caller waits with. Turns share by stride scheduling (Waldspurger and Weihl, 1995):
each turn gets half as much as the one before it, and no turn that waits is left out. Strictly one before the other
would stop the later ones altogether while the earlier are looked at again and again, as updates under way are.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Turn(Generic[T]):
    stride: int
    passed: int
    """What it has had, in strides; the turn that has had least is next."""
    racks: OrderedDict[str, deque[T]] = field(default_factory=OrderedDict[str, "deque[T]"])


class Turns(Generic[T]):
    """Lines by turn and rack."""

    def __init__(self) -> None:
        self._turns: dict[int, _Turn[T]] = {}
        self._passed = 0
        """What the turn that was last served had had: one that comes anew starts there and claims nothing of before."""

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._turns)

    def add(self, waiter: T, *, turn: int, rack: str) -> None:
        """At the end of the rack's line of this turn."""
        there = self._turns.get(turn)
        if there is None:
            there = self._turns[turn] = _Turn(stride=1 << turn, passed=self._passed)
        there.racks.setdefault(rack, deque()).append(waiter)

    def take(self) -> T:
        """The next one; its rack is then the last of its turn. IndexError if nobody waits."""
        if not self._turns:
            raise IndexError("nobody waits")
        turn = min(self._turns, key=lambda each: (self._turns[each].passed, each))
        there = self._turns[turn]
        self._passed = there.passed
        there.passed += there.stride
        rack, line = there.racks.popitem(last=False)
        waiter = line.popleft()
        if line:
            there.racks[rack] = line
        elif not there.racks:
            del self._turns[turn]
        return waiter

    def remove(self, waiter: T, *, turn: int, rack: str) -> None:
        """One that waits no more."""
        racks = self._turns[turn].racks
        racks[rack].remove(waiter)
        if not racks[rack]:
            del racks[rack]
        if not racks:
            del self._turns[turn]
