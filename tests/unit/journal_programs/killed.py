"""Runs of one journal, killed at random points until one is left to end: `killed.py DIRECTORY SEED KILLS`.

Each run is a process of its own. It dies by SIGKILL as it begins a certain statement to sqlite (BEGIN, INSERT, COMMIT,
...) or a certain step of a device; which one, the seed decides. Devices are files that grow by a byte each time they
are told. Prints: kills, devices told, told twice, told without an intent on disk, intents without outcome at the end.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from components.engine import journal_file
from components.engine.journal import Action, Journal, Observation
from components.plan.actions.action import ActionKind

DIRECTORY, SEED, KILLS = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
PATH = DIRECTORY / "j.db"
KINDS = (ActionKind.CLEAN, ActionKind.DEPLOY, ActionKind.POWER_OFF)
TARGETS = 300
AT_ONCE = 20
LONGEST = 200
"""Points that a run lives at most: so few that most kills find much left to do."""


class Death:
    """Comes at one of the points that a run passes."""

    def __init__(self, at: int | None) -> None:
        self._left = at

    def point(self, _: str = "") -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def device(target: str, kind: str) -> Path:
    return DIRECTORY / f"{target}.{kind}"


def told(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def run(death: Death) -> None:
    connect = sqlite3.connect

    def watched(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(death.point)
        return connection

    journal_file.sqlite3 = SimpleNamespace(**{**vars(sqlite3), "connect": watched})  # pyright: ignore

    turns = asyncio.Semaphore(AT_ONCE)

    async def bring(target: str) -> None:
        async with turns:
            await bring_in_turn(target)

    async def bring_in_turn(target: str) -> None:
        for kind in KINDS:
            path = device(target, kind)

            async def observe(path: Path = path) -> Observation:
                if told(path):
                    return Observation.DONE
                death.point()
                return Observation.ABSENT

            async def act(path: Path = path) -> None:
                death.point()
                with path.open("ab") as file:
                    file.write(b"x")
                death.point()
                await asyncio.sleep(0)

            await journal.perform(
                Action(target=target, kind=kind, digest="d", destructive=True), observe=observe, act=act
            )

    with Journal.open(PATH, wait_s=0) as journal:
        await asyncio.gather(*(bring(f"t{number:03}") for number in range(TARGETS)))


def started(death: Death) -> int:
    """Signal that ended a run, or 0."""
    child = os.fork()
    if not child:
        code = 1
        try:
            asyncio.run(run(death))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "a run failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def without_intent() -> int:
    """Devices that were told and of which the journal knows nothing."""
    known = {(record.target, record.kind) for record in Journal.read_history(PATH, limit=100_000)}
    all_devices = [(f"t{number:03}", kind) for number in range(TARGETS) for kind in KINDS]
    return sum(1 for target, kind in all_devices if told(device(target, kind)) and (target, kind) not in known)


def counted() -> list[int]:
    """How often each device was told each thing."""
    return [told(device(f"t{number:03}", kind)) for number in range(TARGETS) for kind in KINDS]


def main() -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same kills in every run
    kills = bare = 0
    while kills < KILLS:
        kills += started(Death(chance.randrange(1, LONGEST))) == signal.SIGKILL
        bare += without_intent()
    left = TARGETS * len(KINDS) - sum(map(bool, counted()))
    assert left, "all was done before the last kill: the kills were no test"
    assert started(Death(None)) == 0
    counts = counted()
    unresolved = [record for record in Journal.read_history(PATH, limit=100_000) if record.outcome is None]
    print(kills, sum(1 for count in counts if count), sum(1 for count in counts if count > 1), bare, len(unresolved))


main()
