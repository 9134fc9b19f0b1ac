"""What the journal costs an action: bytes, fsyncs, processor time; and what it costs to resume.

    python -m benchmarks.journal [--actions 2000] [--at-once 1 32 500] [--resume 200000]

Each way runs in a process of its own under the same load: so many actions, so many at one time, on devices that answer
at once. The peer is the way of before: every statement its own commit, and the disk asked before each action
(`StatementJournal`, kept here only). Both write to the file system of TMPDIR. fsyncs are counted by strace in a second, shorter run, because strace slows what
it watches; bytes are those that the process gave to write calls and that reached the disk (/proc/self/io).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from components.engine.journal import Action, Journal, Observation, Outcome
from components.engine.journal_file import SCHEMA
from components.plan.actions.action import ActionKind

WAYS = ("one-commit-a-statement", "group-commit")
STRACED = 0.25
"""Part of the actions that is run under strace."""
Step = Callable[[], Awaitable[None]]


class Performs(Protocol):
    """A journal."""

    async def perform(self, action: Action, *, observe: Callable[[], Awaitable[Observation]], act: Step) -> Outcome:
        """Intent, act, outcome."""
        ...


class StatementJournal:
    """One commit a statement, one SELECT an action, an index to find it by: the journal before group commit."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(SCHEMA)
        self._connection.execute("CREATE INDEX actions_by_target ON actions (target, kind, digest)")
        self._connection.execute("INSERT INTO runs (scope, pid, started) VALUES ('region', 1, 0)")
        self._turn = asyncio.Lock()

    async def perform(self, action: Action, *, observe: Callable[[], Awaitable[Observation]], act: Step) -> Outcome:
        """Intent, act, outcome."""
        await observe()
        await self._sql(
            "SELECT id FROM actions WHERE target = ? AND kind = ? AND digest = ? AND outcome IS NULL",
            (action.target, action.kind, action.digest),
        )
        rows = await self._sql(
            "INSERT INTO actions (run, target, kind, digest, destructive, intent_at) VALUES (1, ?, ?, ?, ?, ?)"
            " RETURNING id",
            (action.target, action.kind, action.digest, int(action.destructive), time.time()),
        )
        await act()
        await self._sql(
            "UPDATE actions SET outcome = ?, outcome_at = ? WHERE id = ?", (Outcome.DONE, time.time(), rows[0][0])
        )
        return Outcome.DONE

    async def _sql(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        async with self._turn:
            return await asyncio.to_thread(lambda: self._connection.execute(statement, values).fetchall())


def _action(number: int) -> Action:
    return Action(
        target=f"ess-r{number % 250:03}/{number % 71}",
        kind=ActionKind.CONFIGURE,
        digest=f"{number:064x}",
        destructive=True,
    )


async def _all(journal: Performs, actions: int, at_once: int) -> None:
    left = iter(range(actions))

    async def absent() -> Observation:
        return Observation.ABSENT

    async def act() -> None:
        await asyncio.sleep(0)

    async def work() -> None:
        for number in left:
            await journal.perform(_action(number), observe=absent, act=act)

    await asyncio.gather(*(work() for _ in range(at_once)))


def _written() -> tuple[int, int]:
    """Bytes given to write calls, bytes sent to the disk."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["wchar"]), int(fields["write_bytes"])


def run_one(way: str, path: Path, actions: int, at_once: int) -> dict[str, float]:
    """Figures of one way, in this process."""
    before, cpu, began = _written(), time.process_time(), time.monotonic()
    if way == WAYS[0]:
        asyncio.run(_all(StatementJournal(path), actions, at_once))
    else:
        with Journal.open(path) as journal:
            asyncio.run(_all(journal, actions, at_once))
    called, sent = (now - then for now, then in zip(_written(), before, strict=True))
    return {
        "actions_per_s": actions / (time.monotonic() - began),
        "cpu_us": (time.process_time() - cpu) / actions * 1e6,
        "write_bytes": called / actions,
        "disk_bytes": sent / actions,
    }


def _child(words: list[str], prefix: list[str]) -> dict[str, float]:
    command = [*prefix, sys.executable, "-m", "benchmarks.journal", "--child", *words]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(way: str, actions: int, at_once: int) -> dict[str, float]:
    """Figures of one way in a process of its own, with its fsyncs if strace is there."""
    with tempfile.TemporaryDirectory() as name:
        found = _child([way, f"{name}/a.db", str(actions), str(at_once)], [])
        if shutil.which("strace"):
            few, counts = max(at_once, int(actions * STRACED)), Path(name) / "counts"
            watching = [
                "strace",
                "-f",
                "-qq",
                "-c",
                "-U",
                "calls,name",
                "-e",
                "trace=fsync,fdatasync",
                "-o",
                str(counts),
            ]
            _child([way, f"{name}/b.db", str(few), str(at_once)], watching)
            calls = [int(m[1]) for m in re.finditer(r"^\s*(\d+)\s+f(?:data)?sync", counts.read_text(), re.M)]
            found["fsyncs"] = sum(calls) / few
    return found


def resume(actions: int) -> str:
    """What it costs to open a journal in which so many actions stand."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "j.db"
        Journal.open(path).close()
        with sqlite3.connect(path) as connection:
            rows = ((a.target, a.kind, a.digest) for a in map(_action, range(actions)))
            connection.executemany(
                "INSERT INTO actions (run, target, kind, digest, destructive, intent_at, outcome_at, outcome)"
                " VALUES (1, ?, ?, ?, 1, 0, 0, 'done')",
                rows,
            )
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        Journal.open(path).close()
        took_s, grown = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        return f"{actions} actions in {path.stat().st_size >> 20} MiB: {took_s:.2f} s, {grown >> 10} MiB of memory"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 32, 500])
    parser.add_argument("--resume", type=int, default=200_000)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        way, path, actions, at_once = options.child
        print(json.dumps(run_one(way, Path(path), int(actions), int(at_once))))
        return
    print(f"{options.actions} actions, load {os.getloadavg()[0]:.0f}; all figures but the first are for one action")
    print(f"{'at once':>7}  {'way':<23} {'actions/s':>9} {'fsyncs':>7} {'written B':>9} {'to disk B':>9} {'cpu us':>7}")
    for at_once in options.at_once:
        seen = {way: measure(way, options.actions, at_once) for way in WAYS}
        for way, found in seen.items():
            print(
                f"{at_once:>7}  {way:<23} {found['actions_per_s']:>9.0f} {found.get('fsyncs', float('nan')):>7.3f}"
                f" {found['write_bytes']:>9.0f} {found['disk_bytes']:>9.0f} {found['cpu_us']:>7.0f}"
            )
        old, new = (seen[way]["actions_per_s"] for way in WAYS)
        print(f"{'':>7}  {new / old:.1f} times as many actions a second")
    print(f"resume: {resume(options.resume)}")


if __name__ == "__main__":
    main()
