"""Who of those that wait is next: first what the most others wait for, and among equals racks one after the other.

Pure; what is kept is whatever the caller waits with.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Lines of each turn by rack. A lower turn always goes before a higher one."""

    def __init__(self) -> None:
        self._turns: dict[int, OrderedDict[str, deque[T]]] = {}

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._turns)

    def add(self, waiter: T, *, turn: int, rack: str) -> None:
        """At the end of the rack's line of this turn."""
        self._turns.setdefault(turn, OrderedDict()).setdefault(rack, deque()).append(waiter)

    def take(self) -> T:
        """The next one; its rack is then the last of its turn. IndexError if nobody waits."""
        if not self._turns:
            raise IndexError("nobody waits")
        turn = min(self._turns)
        racks = self._turns[turn]
        rack, line = racks.popitem(last=False)
        waiter = line.popleft()
        if line:
            racks[rack] = line
        elif not racks:
            del self._turns[turn]
        return waiter

    def remove(self, waiter: T, *, turn: int, rack: str) -> None:
        """One that waits no more."""
        racks = self._turns[turn]
        racks[rack].remove(waiter)
        if not racks[rack]:
            del racks[rack]
        if not racks:
            del self._turns[turn]
