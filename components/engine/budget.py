"""Budgets: how much of something may be under way at one time, by rack, NVLink domain, power feed and cluster.

Owns the counting and the waiting. A claim on several budgets is granted whole or not at all, so nobody waits with
something in hand and no circle of waiting can close. Deliberately knows no hardware: what a key is limited to is
data (components/plan/budgets.py), and what an action claims is the caller's.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from components.errors import Problem, RegionError

PATIENCE = 4
"""How often a waiter may find one budget free and another taken, before room is kept for it in all of them."""
_ROUNDING = 1e-9
_holders_here: ContextVar[frozenset[int]] = ContextVar("_holders_here", default=frozenset())
"""The budgets of which this task, or one that started it, holds a claim."""


class BudgetError(RegionError):
    """A claim that could never be granted, or that could wait for itself."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A part of one budget."""

    key: str
    """`<sort>:<name>`, such as `rack:ess-r001` or `feed:feed-a`."""
    amount: float = 1


@dataclass(eq=False)
class _Waiter:
    """Claims that are not granted yet."""

    amounts: Mapping[str, float]
    number: int
    granted: asyncio.Future[None]
    moves: int = 0
    """How often the budget it waited for came free, and another held it up."""

    @property
    def is_impatient(self) -> bool:
        return self.moves >= PATIENCE

    def __lt__(self, other: _Waiter) -> bool:
        return (not self.is_impatient, self.number) < (not other.is_impatient, other.number)


@dataclass
class _Budget:
    """One key."""

    limit: float
    held: float = 0
    holders: int = 0
    line: list[_Waiter] = field(default_factory=list[_Waiter])
    """Heap of those for whom this is what they lack: the impatient, then the others, as they came."""

    def has(self, amount: float) -> bool:
        return self.held + amount <= self.limit + _ROUNDING


class Budgets:
    """The budgets of one run."""

    def __init__(self, limits: Mapping[str, float]) -> None:
        """`limits` by key, or by sort for all keys of that sort: `{"rack": 2, "feed": 400, "feed:feed-b": 300}`."""
        self._limits = dict(limits)
        self._budgets: dict[str, _Budget] = {}
        self._count = 0
        self._impatient: list[_Waiter] = []

    @asynccontextmanager
    async def hold(self, claims: Iterable[Claim]) -> AsyncGenerator[None]:
        """Hold all of the claims, from when all of them can be had at once.

        Who comes first is served first in each budget; one that also waits for another budget is overtaken
        meanwhile, but not for ever. All that an action needs is claimed at once: a claim under a claim is refused.
        """
        amounts: dict[str, float] = {}
        for claim in claims:
            amounts[claim.key] = amounts.get(claim.key, 0) + claim.amount
        self._refuse_impossible(amounts)
        await self._take(amounts)
        mark = _holders_here.set(_holders_here.get() | {id(self)})
        try:
            yield
        finally:
            _holders_here.reset(mark)
            self._give_back(amounts)

    def held(self, key: str) -> float:
        """What is held of a budget now."""
        return self._budget(key).held

    def _limit(self, key: str) -> float | None:
        return self._limits.get(key, self._limits.get(key.partition(":")[0]))

    def _budget(self, key: str) -> _Budget:
        if key not in self._budgets:
            self._budgets[key] = _Budget(self._limit(key) or 0)
        return self._budgets[key]

    def _refuse_impossible(self, amounts: Mapping[str, float]) -> None:
        problems: list[Problem] = []
        for key, amount in amounts.items():
            limit = self._limit(key)
            if limit is None:
                problems.append(
                    Problem(
                        path=key,
                        message="nothing says how much of this may be held",
                        allowed=", ".join(sorted(self._limits)),
                        remedy="give the budget a limit",
                        rule="budget-unknown",
                    )
                )
            elif not 0 < amount <= limit + _ROUNDING:
                problems.append(
                    Problem(
                        path=key,
                        message="this claim can never be granted",
                        found=f"{amount:g}",
                        allowed=f"more than 0, at most {limit:g}",
                        remedy="raise the limit, or split the action",
                        rule="budget-too-small",
                    )
                )
        if id(self) in _holders_here.get():
            problems.append(
                Problem(
                    path=", ".join(amounts),
                    message="claimed by what holds a claim already; two such could wait for each other for ever",
                    remedy="claim all that the action needs at once",
                    rule="budget-nested",
                )
            )
        if problems:
            raise BudgetError("budgets do not allow this", problems)

    async def _take(self, amounts: Mapping[str, float]) -> None:
        self._count += 1
        waiter = _Waiter(amounts, self._count, asyncio.get_running_loop().create_future())
        self._place(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.cancelled():
                self._forget(waiter)
            else:  # granted in the same moment
                self._give_back(amounts)
            raise

    def _place(self, waiter: _Waiter) -> None:
        """Grant it, or put it in line at the first budget that holds it up."""
        if waiter.granted.cancelled():  # its task has not heard of it yet
            return
        for key, amount in waiter.amounts.items():
            budget = self._budget(key)
            is_behind = bool(budget.line) and budget.line[0] < waiter
            if is_behind or not budget.has(amount + self._kept_from(waiter, key)):
                heapq.heappush(budget.line, waiter)
                return
        for key, amount in waiter.amounts.items():
            budget = self._budget(key)
            budget.held += amount
            budget.holders += 1
        waiter.granted.set_result(None)

    def _kept_from(self, waiter: _Waiter, key: str) -> float:
        """Room in a budget that is kept for the longest of the impatient."""
        first = self._impatient[0] if self._impatient else waiter
        return 0.0 if first is waiter else first.amounts.get(key, 0.0)

    def _give_back(self, amounts: Mapping[str, float]) -> None:
        for key, amount in amounts.items():
            budget = self._budget(key)
            budget.holders -= 1
            budget.held = budget.held - amount if budget.holders else 0.0  # so that no rounding piles up
        self._wake(amounts)

    def _forget(self, waiter: _Waiter) -> None:
        """Take out one that was cancelled; those behind it may go on."""
        for line in (*(self._budget(key).line for key in waiter.amounts), self._impatient):
            _remove(line, waiter)
        self._wake(waiter.amounts)

    def _wake(self, keys: Iterable[str]) -> None:
        """Serve those who wait for these budgets, and those whom that lets through."""
        left = list(keys)
        while left:
            key = left.pop()
            budget = self._budget(key)
            while budget.line:
                head = budget.line[0]
                if not budget.has(head.amounts[key] + self._kept_from(head, key)):
                    break
                heapq.heappop(budget.line)
                left.extend(self._move(head))

    def _move(self, head: _Waiter) -> Iterable[str]:
        """Look again at one whose budget came free; the budgets in which room is no longer kept."""
        kept: Iterable[str] = self._impatient[0].amounts if self._impatient else ()
        was_impatient = head.is_impatient
        head.moves += 1
        self._place(head)
        if head.granted.done():
            return head.amounts if was_impatient and _remove(self._impatient, head) else ()
        if not was_impatient and head.is_impatient:
            heapq.heappush(self._impatient, head)
            return kept if self._impatient[0] is head else ()
        return ()


def _remove(line: list[_Waiter], waiter: _Waiter) -> bool:
    if waiter not in line:
        return False
    line.remove(waiter)
    heapq.heapify(line)
    return True
