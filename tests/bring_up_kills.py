"""Runs of a bring-up that are killed at chosen points, and run again until one gets through.

A run is a forked child of this process, which has imported everything and read the region already: a start costs
milliseconds. It kills itself, by SIGKILL, at a count of requests that have changed something: the count is from a seed,
so that the same points are hit however fast the machine is.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import signal
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from components.clients.bmc.redfish import RedfishBmc
from components.engine.journal_file import JournalFile
from components.spec import Region
from stacks.bring_up import BringUpFiles, bring_up_region
from tests.bring_up_world import World

LOST, ENDED, FAILED = -signal.SIGKILL, 0, 1
LIMIT_S = 1800


class Moment(StrEnum):
    """When in an action a run dies."""

    BEFORE = "before the request leaves: the intent is on disk, the device knows nothing"
    DURING = "while it is under way"
    AFTER = "after its answer: the device has done it, the outcome is not on disk"
    WRITE = "while the journal writes"


@dataclass(frozen=True)
class Point:
    """Where a run dies."""

    at: int
    """Requests that have changed something, in this run and those before it, as the journal knows."""
    moment: Moment


def points(seed: int, number: int, actions: int) -> Iterator[Point]:
    """`number` points spread over so many changing requests."""
    chance = random.Random(seed)  # noqa: S311  # a seed for tests, guards nothing
    for at in sorted(chance.sample(range(1, actions), number)):
        yield Point(at, chance.choice(list(Moment)))


def _progress(journal: Path) -> int:
    """Actions that are done, or were found done after a kill; what a fleet in good order has already does not count."""
    if not journal.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        words = (
            "SELECT count(*) FROM (SELECT DISTINCT target, kind FROM actions WHERE outcome IN ('done', 'observed')"
            " AND kind NOT IN ('enrol', 'set-mode', 'set-secure-boot', 'set-boot-order'))"
        )
        return int(connection.execute(words).fetchone()[0])


def run(region: Region, files: BringUpFiles, world: World, point: Point | None) -> int:
    """One run in a child; how it ended. Without a point it goes on to its end."""
    sys.stdout.flush()
    left = max(1, point.at - _progress(files.journal)) if point else 0
    gc.freeze()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            signal.alarm(LIMIT_S)
            if point is not None:
                _arm(left, point.moment)
            asyncio.run(
                bring_up_region(
                    region,
                    files=files,
                    observe=lambda _: None,
                    compression=world.compression,
                    answer_s=20,
                )
            )
            code = ENDED
        except BaseException:  # a child of a test: it must not go on as the test
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(left: int, moment: Moment) -> None:
    """Let this process die once so many requests have changed something. It is a child of a fork: what is replaced
    here is replaced in it only."""
    write, request = JournalFile.write, RedfishBmc._request  # pyright: ignore[reportPrivateUsage]

    def counted(self: JournalFile, *arguments: Any, **more: Any) -> Any:
        begun = write(self, *arguments, **more)
        if left <= 0 and moment is Moment.WRITE:
            asyncio.get_running_loop().call_later(0.001, _die)
        return begun

    async def watched(self: RedfishBmc, method: str, path: str, **more: Any) -> Any:
        nonlocal left
        is_due = method != "GET" and left <= 0
        if is_due and moment is Moment.BEFORE:
            _die()
        if is_due and moment is Moment.DURING:
            asyncio.get_running_loop().call_later(0.004, _die)
        answer = await request(self, method, path, **more)
        if is_due and moment is Moment.AFTER:
            _die()
        left -= method != "GET"
        return answer

    JournalFile.write = counted
    RedfishBmc._request = watched  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
