"""Runs of a bring-up that are killed at chosen points, and run again until one gets through.

A run is a forked child of this process, which has imported everything and read the region already: a start costs
milliseconds. It kills itself, by SIGKILL, at a count of requests that change something or of writes to the journal: the
count is from a seed, so that the same points are hit however fast the machine is.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
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

    count: int
    moment: Moment


def points(seed: int, number: int, actions: int) -> Iterator[Point]:
    """`number` points spread over a run of so many changing requests; each counts from the start of its run."""
    chance = random.Random(seed)  # noqa: S311  # a seed for tests, guards nothing
    at = sorted(chance.sample(range(1, actions), number))
    for before, here in zip([0, *at], at, strict=False):
        yield Point(here - before, chance.choice(list(Moment)))


def run(region: Region, files: BringUpFiles, world: World, point: Point | None) -> int:
    """One run in a child; how it ended. Without a point it goes on to its end."""
    sys.stdout.flush()
    gc.freeze()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            signal.alarm(LIMIT_S)
            if point is not None:
                _arm(point)
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


def _arm(point: Point) -> None:
    """Let this process die there. It is a child of a fork: what is replaced here is replaced in it only."""
    left = point.count

    def is_due() -> bool:
        nonlocal left
        left -= 1
        return left == 0

    if point.moment is Moment.WRITE:
        write = JournalFile.write

        def counted(self: JournalFile, *arguments: Any, **more: Any) -> Any:
            begun = write(self, *arguments, **more)
            if is_due():
                asyncio.get_running_loop().call_later(0.001, _die)
            return begun

        JournalFile.write = counted
        return
    request = RedfishBmc._request  # pyright: ignore[reportPrivateUsage]

    async def watched(self: RedfishBmc, method: str, path: str, **more: Any) -> Any:
        due = method != "GET" and is_due()
        if due and point.moment is Moment.BEFORE:
            _die()
        if due and point.moment is Moment.DURING:
            asyncio.get_running_loop().call_later(0.004, _die)
        answer = await request(self, method, path, **more)
        if due:
            _die()
        return answer

    RedfishBmc._request = watched  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
