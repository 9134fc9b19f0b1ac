"""Budgets: whole or not at all, in turn, and never in a circle."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.engine.budget import BudgetError, Budgets, Claim
from tests.virtual_time import run

LIMITS = {"rack": 2, "domain": 1, "feed": 100, "feed:small": 50, "cluster": 5}
KEYS = ("rack:r1", "rack:r2", "rack:r3", "domain:d1", "domain:d2", "feed:a", "feed:small", "cluster:all")


def limit(key: str) -> float:
    return LIMITS.get(key, LIMITS[key.partition(":")[0]])


def part_of(key: str) -> st.SearchStrategy[Claim]:
    return st.sampled_from((0.1, 0.5, 1)).map(lambda part: Claim(key=key, amount=limit(key) * part))


CLAIMS = st.lists(st.sampled_from(KEYS).flatmap(part_of), min_size=1, max_size=4)
WORK = st.tuples(CLAIMS, st.integers(0, 5), st.booleans())


def amounts(claims: list[Claim]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for claim in claims:
        found[claim.key] += claim.amount
    return found


@settings(max_examples=100, deadline=None)
@given(works=st.lists(WORK, max_size=40))
def test_nothing_is_exceeded_nobody_waits_for_ever_and_all_is_given_back(
    works: list[tuple[list[Claim], int, bool]],
) -> None:
    possible = [work for work in works if all(part <= limit(key) for key, part in amounts(work[0]).items())]

    async def main() -> None:
        budgets, held = Budgets(LIMITS), defaultdict[str, float](float)

        async def one(claims: list[Claim], seconds: int) -> None:
            async with budgets.hold(claims):
                for claim in claims:
                    held[claim.key] += claim.amount
                try:
                    assert all(held[claim.key] <= limit(claim.key) + 1e-6 for claim in claims)
                    await asyncio.sleep(seconds)
                finally:
                    for claim in claims:
                        held[claim.key] -= claim.amount

        tasks = [asyncio.create_task(one(claims, seconds)) for claims, seconds, _ in possible]
        await asyncio.sleep(2)
        for task, (_, _, is_cancelled) in zip(tasks, possible, strict=True):
            if is_cancelled:
                task.cancel()
        # a circle of waiting would be found by the loop: nothing would ever happen
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [end for end in ends if isinstance(end, Exception)]
        assert all(budgets.held(key) == 0 for key in KEYS)

    run(main())


def order(claims_by_name: dict[str, list[Claim]], seconds: float = 1) -> list[str]:
    """The names in the order in which they were let in; all come at once, in the order given."""

    async def main() -> list[str]:
        budgets, entered = Budgets(LIMITS), list[str]()

        async def one(name: str) -> None:
            async with budgets.hold(claims_by_name[name]):
                entered.append(name)
                await asyncio.sleep(seconds)

        await asyncio.gather(*(one(name) for name in claims_by_name))
        return entered

    return run(main())


def test_who_comes_first_is_served_first_also_when_it_asks_for_much() -> None:
    feed = {f"little-{n}": [Claim(key="feed:a", amount=40)] for n in range(2)}
    feed |= {"much": [Claim(key="feed:a", amount=100)], "late": [Claim(key="feed:a", amount=10)]}
    assert order(feed) == ["little-0", "little-1", "much", "late"]


def test_one_that_waits_for_its_rack_does_not_keep_the_cluster_from_others() -> None:
    claims = {f"r1-{n}": [Claim(key="rack:r1"), Claim(key="cluster:all")] for n in range(4)}
    claims |= {"r2": [Claim(key="rack:r2"), Claim(key="cluster:all")]}
    assert order(claims) == ["r1-0", "r1-1", "r2", "r1-2", "r1-3"]


def test_one_that_needs_two_contested_budgets_is_not_overtaken_for_ever() -> None:
    async def main() -> int:
        budgets, others, is_in = Budgets({"a": 1, "b": 1}), 0, asyncio.Event()

        async def keep_busy(key: str, offset_s: float) -> None:
            nonlocal others
            await asyncio.sleep(offset_s)
            while not is_in.is_set():
                async with budgets.hold([Claim(key=key)]):
                    others += 1
                    await asyncio.sleep(1)

        async def both() -> None:
            await asyncio.sleep(0.1)
            async with budgets.hold([Claim(key="a"), Claim(key="b")]):
                is_in.set()

        # two hold each in turn, so that never both are free in the same moment
        await asyncio.gather(
            *(keep_busy(key, at) for key, at in (("a", 0), ("a", 0.01), ("b", 0.5), ("b", 0.51))), both()
        )
        return others

    assert run(main()) < 30


def test_a_claim_that_can_never_be_granted_is_refused_at_once_with_all_that_is_wrong() -> None:
    async def main() -> None:
        async with Budgets(LIMITS).hold(
            [Claim(key="feed:small", amount=60), Claim(key="moon:1"), Claim(key="rack:r1")]
        ):
            pass

    with pytest.raises(BudgetError) as refused:
        run(main())
    assert {problem.rule for problem in refused.value.problems} == {"budget-too-small", "budget-unknown"}
    assert "feed:small" in str(refused.value)
    assert "at most 50" in str(refused.value)


def test_a_claim_under_a_claim_is_refused_because_two_such_could_wait_for_each_other() -> None:
    async def main() -> None:
        inner, outer = Budgets(LIMITS), Budgets(LIMITS)
        async with outer.hold([Claim(key="rack:r1")]):
            async with inner.hold([Claim(key="rack:r1")]):
                pass  # other budgets, always in this order: no circle
            async with outer.hold([Claim(key="domain:d1")]):
                pass

    with pytest.raises(BudgetError, match="claim all that the action needs at once"):
        run(main())


def test_a_failed_holder_gives_back_what_it_held() -> None:
    async def main() -> float:
        budgets = Budgets(LIMITS)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                async with budgets.hold([Claim(key="feed:a", amount=100)]):
                    raise RuntimeError
        return budgets.held("feed:a")

    assert run(main()) == 0
