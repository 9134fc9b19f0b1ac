"""Requests at a rate, as many independent clients send them, and an exact account of what became of each.

The loop is open: a request is sent when its time has come, whether the ones before it were answered or not, and its
wait counts from that time. So a service that stands still for a second is seen as such, and a generator that is late
itself says so. Used by the tests of faults and by the benchmarks of the platform.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from tests.load_client import Client, Target

TICK_S = 0.2
"""How often an endless load looks whether it is to end."""


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: the smallest value that `percent` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -int(-percent * len(ordered) // 100) - 1)] if ordered else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One request. All times are seconds."""

    due: float
    """When it was to be sent, from the beginning of the load."""
    late: float
    """How much later than that the generator came to it."""
    took: float
    """From when it was due to its last byte, or its end without one."""
    outcome: str
    """HTTP status, or why there is none."""
    repeats: int = 0

    @property
    def is_answered(self) -> bool:
        return self.outcome == "200"

    @property
    def at(self) -> float:
        """When it ended, from the beginning of the load."""
        return self.due + self.took


@dataclass
class Account:
    """What became of the requests of one load."""

    requests: list[Sent] = field(default_factory=list[Sent])
    seconds: float = 0.0
    """How long requests were sent."""

    @property
    def sent(self) -> int:
        return len(self.requests)

    @property
    def lost(self) -> Counter[str]:
        """Reason -> requests without a good answer."""
        return Counter(r.outcome for r in self.requests if not r.is_answered)

    @property
    def answered(self) -> list[Sent]:
        """In the order of their ends."""
        return sorted((r for r in self.requests if r.is_answered), key=lambda r: r.at)

    @property
    def repeated(self) -> int:
        """Requests that took more than one try."""
        return sum(1 for r in self.requests if r.repeats)

    @property
    def longest(self) -> float:
        """Longest wait for an answer, seconds."""
        return max((r.took for r in self.requests if r.is_answered), default=0.0)

    @property
    def silence(self) -> float:
        """Longest time in which nothing was answered, seconds; all of it if nothing ever was."""
        ends = [0.0, *(min(r.at, self.seconds) for r in self.answered), self.seconds]
        return max(after - before for before, after in itertools.pairwise(ends))

    def wait_ms(self, percent: float) -> float:
        """Percentile of the waits of what was answered."""
        return 1000 * percentile([r.took for r in self.requests if r.is_answered], percent)

    def late_ms(self, percent: float) -> float:
        """Percentile of the generator's own lateness."""
        return 1000 * percentile([r.late for r in self.requests], percent)

    def __str__(self) -> str:
        lost = ", ".join(f"{count} {why}" for why, count in sorted(self.lost.items()))
        return (
            f"{self.sent} sent, {sum(self.lost.values())} lost{f' ({lost})' if lost else ''}, "
            f"{self.repeated} repeated, p50 {self.wait_ms(50):.1f} ms, p99 {self.wait_ms(99):.1f} ms, "
            f"longest wait {self.longest:.2f} s, silent for {self.silence:.2f} s at most, "
            f"generator late p99 {self.late_ms(99):.1f} ms"
        )


async def send(
    target: Target,
    rate: float,
    seconds: float,
    *,
    is_over: Callable[[], bool] = lambda: False,
    account: Account | None = None,
) -> Account:
    """Send for so many seconds, or until `is_over` says so, then wait for what is under way.

    An `account` that is given is written to as requests end, for who looks at it meanwhile.
    """
    account = Account() if account is None else account
    client = Client(target)
    under_way: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        due = number / rate
        if not await _comes(began + due, is_over):
            break
        task = asyncio.create_task(_one(client, account, began, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    account.seconds = time.monotonic() - began
    await asyncio.gather(*under_way)
    client.close()
    return account


async def _comes(moment: float, is_over: Callable[[], bool]) -> bool:
    """Waits until the moment; whether it came before the end."""
    while not is_over():
        ahead = moment - time.monotonic()
        await asyncio.sleep(max(0.0, min(ahead, TICK_S)))  # a generator that is behind still reads answers
        if ahead <= TICK_S:
            return True
    return False


async def _one(client: Client, account: Account, began: float, due: float) -> None:
    late = time.monotonic() - began - due
    outcome, repeats = await client.ask()
    took = time.monotonic() - began - due
    account.requests.append(Sent(due=due, late=late, took=took, outcome=outcome, repeats=repeats))


@contextmanager
def under_load(target: Target, rate: float, *, longest_s: float = 900) -> Generator[Account]:
    """Requests go on while the body does something to what they meet. The account is complete when it is left."""
    account, over = Account(), threading.Event()

    def work() -> None:
        asyncio.run(send(target, rate, longest_s, is_over=over.is_set, account=account))

    thread = threading.Thread(target=work, name="load")
    thread.start()
    try:
        yield account
    finally:
        over.set()
        thread.join()


def main(url: str, host: str, rate: str, seconds: str) -> None:
    """A load of this machine's or of another network name space, told as JSON: `python -m tests.load URL HOST RATE SECONDS`."""
    account = asyncio.run(send(Target(url=url, host=host, keep_alive=True), float(rate), float(seconds)))
    print(json.dumps({"seconds": account.seconds, "requests": [asdict(request) for request in account.requests]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
