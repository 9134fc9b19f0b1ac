"""A run whose journal may not grow any more: `full_disk.py DIRECTORY`.

A limit on the size of files stands for a full disk: sqlite sees its writes refused. Prints how many devices were told,
how many intents are on disk, what became of one more action once there was room, and the refusal.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from components.engine.journal import Action, Journal, JournalError, Observation
from components.plan.actions.action import ActionKind

PATH = Path(sys.argv[1]) / "j.db"
ROOM_BYTES = 200_000


async def main() -> None:
    told = 0

    async def absent() -> Observation:
        return Observation.ABSENT

    async def act() -> None:
        nonlocal told
        told += 1

    async def perform(number: int) -> str:
        action = Action(target=f"t{number}", kind=ActionKind.DEPLOY, digest="d" * 200)
        return await journal.perform(action, observe=absent, act=act)

    with Journal.open(PATH) as journal:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
        ends: list[str | BaseException] = []
        while not any(isinstance(end, JournalError) for end in ends):
            begin = len(ends)
            ends += await asyncio.gather(*(perform(begin + n) for n in range(20)), return_exceptions=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        before = told
        after = await perform(len(ends))
        intents = len(Journal.read_history(PATH, limit=100_000)) - 1
    print(before, intents, after, next(end for end in ends if isinstance(end, JournalError)), sep="\n")


asyncio.run(main())
