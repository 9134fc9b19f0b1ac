"""How many requests are under way: found by feedback, in worlds whose time is computed."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from components.engine.pace import Pace
from components.engine.window import FIRST, FLOOR, Window
from tests.virtual_time import burn, run

TIMEOUT_S = 10.0
WIDTHS = (64, 256, 1024, 4096)
"""The sweep that a self-tuned run is compared with."""


class Fixed(Window):
    """A setting: what the self-tuned window is compared with."""

    def look(self, now: float, late_s: float, *, is_limited: bool) -> None:
        pass


@dataclass
class World:
    """BMCs behind a far side that serves so many requests a second, asked by a process that has one core."""

    kinds: Mapping[str, tuple[float, float]] = field(default_factory=lambda: {"tray": (0.1, 0.6)})
    """Median and 99th percentile of the time a BMC takes for an answer."""
    racks: int = 5
    endpoints: int = 71
    requests: int = 12
    capacity: float = 5000
    thrash: float = 0.0
    """How much more a request costs the far side for each second of its queue."""
    cpu_s: float = 0.0002
    slow: float = 0.0
    dead: float = 0.0
    slower: tuple[float, float] = (math.inf, 1.0)
    """From when on every BMC takes so many times as long."""
    pauses: tuple[float, float] = (math.inf, 0.0)
    """How often this process stands still, and for how long."""
    dark: tuple[float, float] = (math.inf, math.inf)
    """When the first rack has no power."""
    free_at: float = 0.0
    timeouts: int = 0
    widths: list[float] = field(default_factory=list[float])
    """The window, second by second."""

    async def answer(self, rack: int, kind: str, chance: random.Random, factor: float) -> None:
        now = asyncio.get_running_loop().time()
        if self.dark[0] <= now < self.dark[1] and rack == 0:
            await asyncio.sleep(3600)
        queue_s = max(0.0, self.free_at - now)
        cost_s = (1 + self.thrash * queue_s) / self.capacity
        self.free_at = max(self.free_at, now) + cost_s
        median, p99 = self.kinds[kind]
        spread = math.log(p99 / median) / 2.326
        takes_s = median * math.exp(chance.gauss(0, spread)) * factor
        await asyncio.sleep(queue_s + cost_s + takes_s * (self.slower[1] if now >= self.slower[0] else 1))

    async def work(self, pace: Pace, rack: int, place: int) -> float | None:
        """All requests to an endpoint, each asked again until it is answered; when the last one was."""
        chance = random.Random(f"{rack} {place}")  # noqa: S311 - the same in every run
        kind = sorted(self.kinds)[place % len(self.kinds)]
        factor = 10.0 if chance.random() < self.slow else 1.0
        is_dead = chance.random() < self.dead
        for _ in range(self.requests):
            for attempt in range(20):
                try:
                    async with pace.request(f"{rack}/{place}", rack=str(rack), kind=kind), asyncio.timeout(TIMEOUT_S):
                        burn(self.cpu_s)
                        await (asyncio.sleep(3600) if is_dead else self.answer(rack, kind, chance, factor))
                    break
                except TimeoutError:
                    self.timeouts += 1
                    if is_dead and attempt == 2:
                        return None
        return asyncio.get_running_loop().time()

    async def all_work(self, pace: Pace) -> float:
        """When 98 of 100 endpoints are done: the others are slow by themselves, whatever the window."""

        async def note() -> None:
            while True:
                self.widths.append(pace.window.size)
                await asyncio.sleep(1)

        async def pause() -> None:
            while math.isfinite(self.pauses[0]):
                await asyncio.sleep(self.pauses[0])
                burn(self.pauses[1])

        noting, pausing = asyncio.create_task(note()), asyncio.create_task(pause())
        ends = await asyncio.gather(
            *(self.work(pace, rack, place) for rack in range(self.racks) for place in range(self.endpoints))
        )
        noting.cancel()
        pausing.cancel()
        done = sorted(end for end in ends if end is not None)
        return done[math.ceil(0.98 * len(done)) - 1]

    def seconds(self, width: int | None = None, *, first: int = FIRST) -> float:
        """With a window that tunes itself from `first` on, or of a fixed width."""
        self.free_at, self.widths = 0.0, []
        return run(self.all_work(Pace(window=Fixed(first=width) if width else Window(first=first))))


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(kinds={"tray": (0.02, 0.1)}), id="quick BMCs, so that this process is the bottleneck"),
        pytest.param(World(capacity=600), id="a far side that queues"),
        pytest.param(World(capacity=600, thrash=1.0), id="a far side that does less the more it is asked"),
        pytest.param(World(kinds={"tray": (2.0, 6.0)}, requests=8), id="BMCs that take two seconds"),
        pytest.param(World(kinds={"tray": (0.03, 0.1), "dpu": (2.0, 8.0)}), id="quick and slow kinds side by side"),
        pytest.param(World(slow=0.02, dead=0.02, capacity=600), id="some endpoints slow, some dead"),
        pytest.param(
            World(racks=20, kinds={"tray": (0.12, 0.9)}, cpu_s=0.0006, pauses=(4.0, 1.0)),
            id="this process stands still now and then",
        ),
    ],
)
def test_the_window_that_tunes_itself_is_within_a_tenth_of_the_best_fixed_one(world: World) -> None:
    fixed = {width: world.seconds(width) for width in WIDTHS}
    own = world.seconds()
    assert own <= 1.1 * min(fixed.values()), f"{own:.1f} s, fixed {fixed}"


def test_a_process_that_stands_still_again_and_again_does_not_close_its_window() -> None:
    world = World(racks=20, kinds={"tray": (0.12, 0.9)}, cpu_s=0.0006, pauses=(0.5, 0.2))
    best = min(world.seconds(width) for width in WIDTHS)
    assert world.seconds() <= 1.25 * best, "answers that were read late were taken for slow ones"
    assert min(world.widths) >= 200


def test_many_kinds_of_answers_that_differ_by_chance_do_not_close_the_window() -> None:
    world = World(kinds={f"kind {n}": (0.12, 0.9) for n in range(24)}, racks=10, requests=60, capacity=400)
    best = world.seconds(512)
    assert world.seconds(first=64) <= 1.1 * best, "each kind's luckiest answers were its calm"


def test_a_window_fixed_too_wide_collapses_where_the_tuned_one_does_not() -> None:
    world = World(racks=8, requests=6, capacity=300, thrash=1.0)
    collapsed, own = world.seconds(4096), world.seconds()
    assert collapsed > 1.5 * own, "the case is one in which width does harm"
    world.timeouts = 0
    world.seconds()
    assert world.timeouts < 0.02 * world.racks * world.endpoints * world.requests


def test_slow_bmcs_are_asked_many_at_a_time() -> None:
    world = World(racks=30, requests=6, kinds={"tray": (2.0, 6.0)}, cpu_s=0.0001, capacity=20_000)
    world.seconds()
    assert max(world.widths) > 1500, "nothing is crowded, so the window opens for all 2,130 endpoints"


def test_an_event_loop_that_runs_late_keeps_the_window_from_opening() -> None:
    world = World(racks=30, requests=4, kinds={"tray": (2.0, 6.0)}, cpu_s=0.004, capacity=20_000)
    world.seconds()
    assert max(world.widths) < 1500, "250 requests a second are all this process can do"


def test_bmcs_that_all_became_slower_do_not_close_the_window_for_good() -> None:
    world = World(requests=40, slower=(3.0, 8.0), kinds={"tray": (0.1, 0.3)})
    world.seconds()
    assert world.widths[-1] >= 200, "no width of ours made them slow, so it is given back"


def test_a_rack_that_loses_power_does_not_slow_the_others_down() -> None:
    whole, dark = World(requests=60), World(requests=60, dark=(2.0, 20.0))
    lit_s = whole.seconds()
    ends = run(_ends_of_lit_racks(dark))
    assert ends <= 1.1 * lit_s


async def _ends_of_lit_racks(world: World) -> float:
    pace = Pace()
    dark = [asyncio.create_task(world.work(pace, 0, place)) for place in range(world.endpoints)]
    ends = await asyncio.gather(
        *(world.work(pace, rack, place) for rack in range(1, world.racks) for place in range(world.endpoints))
    )
    await asyncio.gather(*dark)
    done = sorted(end for end in ends if end is not None)
    return done[math.ceil(0.98 * len(done)) - 1]


def test_refused_passwords_say_nothing_of_load() -> None:
    async def main() -> float:
        pace = Pace()

        async def refuse() -> None:
            await asyncio.sleep(0.1)
            raise PermissionError

        async def refused(number: int) -> None:
            for _ in range(5):
                with contextlib.suppress(PermissionError):
                    async with pace.request(f"bmc{number}"):
                        await refuse()

        await asyncio.gather(*(refused(number) for number in range(400)))
        return pace.window.size

    assert run(main()) >= 256


def test_a_bmc_is_asked_no_more_than_four_things_at_a_time_and_fewer_once_it_says_it_is_busy() -> None:
    async def main() -> tuple[int, int]:
        pace, now, most = Pace(), 0, 0

        async def ask(is_busy: bool) -> None:
            nonlocal now, most
            async with pace.request("bmc") as exchange:
                now += 1
                most = max(most, now)
                await asyncio.sleep(1)
                now -= 1
                if is_busy:
                    exchange.overloaded()

        await asyncio.gather(*(ask(False) for _ in range(12)))
        calm, most = most, 0
        await asyncio.gather(*(ask(True) for _ in range(4)))
        most = 0
        await asyncio.gather(*(ask(False) for _ in range(3)))
        return calm, most

    assert run(main()) == (4, 1)


def test_racks_are_served_in_turn() -> None:
    async def main() -> Counter[str]:
        pace = Pace(window=Fixed(first=10))
        served: Counter[str] = Counter()

        async def ask(rack: str, number: int) -> None:
            async with pace.request(f"{rack}/{number}", rack=rack):
                await asyncio.sleep(1)
                served[rack] += 1

        much = [asyncio.create_task(ask("much", number)) for number in range(1000)]
        await asyncio.sleep(0)
        await asyncio.gather(*(ask("little", number) for number in range(20)))
        for task in much:
            task.cancel()
        await asyncio.gather(*much, return_exceptions=True)
        return served

    served = run(main())
    assert served["little"] == 20
    assert served["much"] <= 40, "twenty of one rack waited for about twenty of the other, not for a thousand"


def test_what_others_wait_for_gets_twice_as_much_and_nobody_is_left_out() -> None:
    async def main() -> list[int]:
        pace, served = Pace(window=Fixed(first=14)), list[int]()

        async def ask(turn: int, number: int) -> None:
            async with pace.request(f"{turn}/{number}", rack=str(number % 7), turn=turn):
                await asyncio.sleep(1)
                served.append(turn)

        late = [asyncio.create_task(ask(2, number)) for number in range(100)]
        await asyncio.sleep(0)
        await asyncio.gather(*(ask(turn, number) for number in range(100) for turn in (1, 0)), *late)
        return served

    served = run(main())
    assert served[:14] == [2] * 14, "they were under way before"
    assert Counter(served[14:140]) == {0: 72, 1: 36, 2: 18}
    assert Counter(served) == {0: 100, 1: 100, 2: 100}


@pytest.mark.parametrize("seed", range(5))
def test_cancelled_requests_leave_nothing_behind(seed: int) -> None:
    async def main() -> tuple[int, int]:
        pace, chance = Pace(window=Fixed(first=FLOOR)), random.Random(seed)  # noqa: S311

        async def ask(number: int) -> None:
            async with pace.request(f"bmc{number % 7}", rack=f"r{number % 3}", turn=number % 2):
                await asyncio.sleep(chance.random())

        tasks = [asyncio.create_task(ask(number)) for number in range(300)]
        while not all(task.done() for task in tasks):
            chance.choice(tasks).cancel()
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks, return_exceptions=True)
        # all slots are free again
        await asyncio.wait_for(asyncio.gather(*(ask(number) for number in range(50))), 100)
        return pace.in_flight, pace.most_in_flight

    assert run(main()) == (0, FLOOR)
