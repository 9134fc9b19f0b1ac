"""The pace of joins, in virtual time against a model of an API server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.engine.join_pace import BACKLOG, SLOW_S, START, JoinPace, JoinWindow, Sight
from tests import virtual_time

FINE = Sight(answer_s=0.01, pending=0)
SLOW = Sight(answer_s=SLOW_S + 1, pending=0)


@dataclass
class Cluster:
    """A model: joins share an API server that does `rate` of them a second, each at least `least_s` long."""

    rate: float
    least_s: float = 2.0
    limit_s: float = 60.0
    """kubeadm gives up a join that takes longer."""
    busy_until: float = 0.0
    under_way: int = 0
    most: int = 0
    started: list[float] = field(default_factory=list[float])

    async def join(self) -> None:
        now = asyncio.get_running_loop().time()
        self.started.append(now)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.busy_until = max(now, self.busy_until) + 1 / self.rate
        served = max(self.busy_until - now, self.least_s)
        try:
            await asyncio.sleep(min(served, self.limit_s))
        finally:
            self.under_way -= 1
        if served > self.limit_s:
            raise TimeoutError("context deadline exceeded")

    async def look(self) -> Sight:
        waits = max(0.0, self.busy_until - asyncio.get_running_loop().time())
        return Sight(answer_s=waits / 10, pending=int(waits * self.rate))


async def joined(cluster: Cluster, count: int, pace: JoinPace) -> tuple[int, float]:
    """How many of `count` machines joined, and when the last was done."""
    watching = asyncio.create_task(pace.observe(cluster.look))

    async def one() -> bool:
        try:
            async with pace.turn():
                await cluster.join()
        except TimeoutError:
            return False
        return True

    outcomes = await asyncio.gather(*(one() for _ in range(count)))
    watching.cancel()
    return sum(outcomes), asyncio.get_running_loop().time()


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return virtual_time.run(main)


@pytest.mark.parametrize("rate", [2.0, 10.0, 40.0])
def test_a_thousand_machines_all_join_at_nearly_the_speed_of_the_api_server(rate: float) -> None:
    cluster = Cluster(rate=rate)
    done, seconds = run(joined(cluster, 1000, JoinPace(500, seed=1)))
    assert done == 1000
    assert seconds < 1.35 * 1000 / rate + 30


def test_the_model_fails_machines_that_join_all_at_once() -> None:
    """Without this the test above would say nothing of the pace."""

    async def at_once(cluster: Cluster) -> int:
        outcomes = await asyncio.gather(*(cluster.join() for _ in range(1000)), return_exceptions=True)
        return sum(outcome is None for outcome in outcomes)

    assert run(at_once(Cluster(rate=10.0))) <= 600


def test_never_more_join_at_once_than_the_description_allows() -> None:
    cluster = Cluster(rate=1000.0)
    done, _ = run(joined(cluster, 300, JoinPace(7, seed=1)))
    assert (done, cluster.most) == (300, 7)


def test_the_first_joins_do_not_start_at_one_moment() -> None:
    cluster = Cluster(rate=1000.0)
    run(joined(cluster, START, JoinPace(50, seed=1)))
    gaps = [later - earlier for earlier, later in zip(cluster.started, cluster.started[1:], strict=False)]
    assert all(gap > 0 for gap in gaps)
    assert len({round(gap, 3) for gap in gaps}) == len(gaps)


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = Cluster(rate=20.0), Cluster(rate=20.0)
    run(joined(first, 50, JoinPace(20, seed=3)))
    run(joined(second, 50, JoinPace(20, seed=3)))
    assert first.started == second.started


def test_machines_join_in_the_order_in_which_they_asked() -> None:
    order: list[int] = []

    async def main() -> None:
        pace = JoinPace(3, seed=1)

        async def one(number: int) -> None:
            async with pace.turn():
                order.append(number)
                await asyncio.sleep(1)

        await asyncio.gather(*(one(number) for number in range(20)))

    run(main())
    assert order == sorted(order)


def test_members_of_the_control_plane_join_one_after_another_while_others_join() -> None:
    at_once = {"members": 0, "most": 0, "workers beside": 0}

    async def main() -> None:
        pace = JoinPace(10, seed=1)

        async def member() -> None:
            async with pace.turn(control_plane=True):
                at_once["members"] += 1
                at_once["most"] = max(at_once["most"], at_once["members"])
                at_once["workers beside"] += pace.under_way > 1
                await asyncio.sleep(20)
                at_once["members"] -= 1

        async def worker() -> None:
            async with pace.turn():
                await asyncio.sleep(5)

        await asyncio.gather(*(member() for _ in range(3)), *(worker() for _ in range(20)))

    run(main())
    assert at_once["most"] == 1
    assert at_once["workers beside"] > 0


def test_a_cancelled_waiter_keeps_nobody_out() -> None:
    async def main() -> int:
        pace = JoinPace(1, seed=1)

        async def hold() -> None:
            async with pace.turn():
                await asyncio.sleep(10)

        holder = asyncio.create_task(hold())
        await asyncio.sleep(3)
        waiter = asyncio.create_task(hold())
        await asyncio.sleep(1)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        await hold()
        await holder
        return pace.under_way

    assert run(main()) == 0


@pytest.mark.parametrize(
    "sight",
    [
        Sight(answer_s=None, pending=0),
        Sight(answer_s=SLOW_S + 0.1, pending=0),
        Sight(answer_s=0.01, pending=BACKLOG + 1),
    ],
    ids=["refused", "slow", "signer behind"],
)
def test_a_strained_api_server_gets_no_more_joins_until_it_is_well(sight: Sight) -> None:
    window = JoinWindow(50)
    window.saw(sight, now=10.0, under_way=4)
    assert not window.has_room(1)
    window.saw(FINE, now=11.0, under_way=4)
    assert window.has_room(1)
    assert window.size < START


def test_one_machine_may_always_join_however_slow_the_api_server_is() -> None:
    window = JoinWindow(50)
    for second in range(100):
        window.saw(SLOW, now=float(second), under_way=4)
    assert window.has_room(0)
    assert window.size == 1


def test_a_control_plane_that_is_slow_without_joins_is_judged_by_itself() -> None:
    window = JoinWindow(50)
    for second in range(30):
        window.saw(SLOW, now=float(second), under_way=1)
    assert window.has_room(window.size - 1) or window.size == 1
    window.saw(SLOW, now=60.0, under_way=20)
    assert window.has_room(0)
    before = window.size
    window.saw(SLOW, now=120.0, under_way=20)
    assert window.size == before, "as slow as without joins"
    window.saw(Sight(answer_s=2.5 * (SLOW_S + 1), pending=0), now=180.0, under_way=20)
    assert window.size <= before
    assert not window.has_room(1)


def test_strain_of_one_round_counts_once() -> None:
    window = JoinWindow(50)
    for _ in range(40):
        window.joined(4.0, was_full=True)
    before = window.size
    for tenth in range(10):
        window.saw(SLOW, now=100 + tenth / 10, under_way=8)
    assert window.size >= 0.5 * before


def test_a_window_that_held_nobody_back_does_not_grow() -> None:
    window = JoinWindow(50)
    for _ in range(100):
        window.joined(1.0, was_full=False)
    assert window.size == START


def test_a_failed_join_shrinks_the_window() -> None:
    window = JoinWindow(50)
    window.failed(now=5.0)
    assert window.size < START


def test_a_pace_that_admits_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        JoinWindow(0)
