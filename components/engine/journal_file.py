"""The file of a journal: SQLite with a write-ahead log, one writer, many actions to an fsync.

Owns what is on disk and when: an entry is told written once it would survive a loss of power. Entries that come
while others are being written go together in the next commit, so the disk's fsyncs and not the actions set the
pace. What entries mean is journal.py's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from components.engine.action import Record
from components.errors import Problem, RegionError

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    ending TEXT
);
CREATE TABLE IF NOT EXISTS actions (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id),
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    digest TEXT NOT NULL,
    destructive INTEGER NOT NULL,
    intent_at REAL NOT NULL,
    outcome_at REAL,
    outcome TEXT,
    detail TEXT
);
DROP INDEX IF EXISTS actions_by_target;
"""
RESERVE_BYTES = 8 << 20
"""Kept free for outcomes: with less than this on the file system, nothing new is begun."""


class JournalError(RegionError):
    """The journal cannot be written, so nothing may be done to a device."""


@dataclass(frozen=True)
class _Entry:
    statement: str
    values: tuple[object, ...]
    opens: bool
    """Something is about to be begun."""
    written: asyncio.Future[int]


class JournalFile:
    """Open for writing by this process; others may write beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # All of sqlite's work is this thread's: an fsync must not stop the event loop, and nobody else's threads
        # must keep an intent waiting.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._waiting: list[_Entry] = []
        self._is_writing = False
        try:
            self._connection = self._thread.submit(self._connect).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise self._refusal(str(error)) from error
        return connection

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Run a statement now and wait for it; for the beginning and the end of a run."""
        return self.read(statement, values, take=list)

    def read(self, statement: str, values: tuple[object, ...] = (), *, take: Callable[[Iterable[Any]], T]) -> T:
        """As execute, for many rows: what `take` makes of them, one by one."""

        def run() -> T:
            try:
                return take(self._connection.execute(statement, values))
            except sqlite3.Error as error:
                raise self._refusal(str(error)) from error

        return self._thread.submit(run).result()

    def write(self, statement: str, values: tuple[object, ...], *, opens: bool) -> asyncio.Future[int]:
        """Done once it is on disk, with the number of the row that was inserted."""
        loop = asyncio.get_running_loop()
        entry = _Entry(statement, values, opens, loop.create_future())
        self._waiting.append(entry)
        if not self._is_writing:
            self._hand_over(loop)
        return entry.written

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the thread all that waits."""
        group, self._waiting = self._waiting, []
        self._is_writing = True

        def tell(work: Future[list[int | JournalError]]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all that waited
                loop.call_soon_threadsafe(self._told, loop, group, work)

        self._thread.submit(self._commit, group).add_done_callback(tell)

    def _told(
        self, loop: asyncio.AbstractEventLoop, group: list[_Entry], work: Future[list[int | JournalError]]
    ) -> None:
        self._is_writing = False
        if self._waiting:
            self._hand_over(loop)
        failure = work.exception()
        results = [failure] * len(group) if failure is not None else work.result()
        for entry, result in zip(group, results, strict=True):
            if isinstance(result, BaseException):
                entry.written.set_exception(result)
            else:
                entry.written.set_result(result)

    def _commit(self, group: list[_Entry]) -> list[int | JournalError]:
        """One transaction; in the thread."""
        free = self._free_bytes() if any(entry.opens for entry in group) else RESERVE_BYTES
        results: list[int | JournalError] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for entry in group:
                if entry.opens and free < RESERVE_BYTES:
                    results.append(self._refusal(f"{free >> 10} KiB free, {RESERVE_BYTES >> 10} KiB are kept free"))
                else:
                    results.append(int(self._connection.execute(entry.statement, entry.values).lastrowid or 0))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                self._connection.execute("ROLLBACK")
            raise self._refusal(str(error)) from error
        return results

    def _free_bytes(self) -> int:
        room = os.statvfs(self._path.parent)
        return room.f_bavail * room.f_frsize

    def _refusal(self, found: str) -> JournalError:
        return JournalError(
            "the journal cannot be written, so nothing is begun",
            [
                Problem(
                    path=str(self._path),
                    message="what is about to be done to a device must be on disk first",
                    found=found,
                    remedy=f"make room on its file system (`df -h {self._path.parent}`) and see that it may be written; "
                    "then run again: what is under way goes on, and the next run finds it",
                    rule="journal-unwritable",
                )
            ],
        )

    def close(self) -> None:
        """Write what cancelled actions left, and close."""
        group, self._waiting = self._waiting, []

        def end() -> None:
            try:
                if group:  # of actions that were cancelled: nobody waits for them
                    with contextlib.suppress(JournalError):
                        self._commit(group)
            finally:
                self._connection.close()

        try:
            self._thread.submit(end).result()
        finally:
            self._thread.shutdown()


def history(path: Path, *, limit: int, target: str | None) -> Iterator[Record]:
    """The newest actions first. Needs no lock, so it answers while a run is under way."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        rows = connection.execute(
            "SELECT a.run, r.scope, r.pid, a.target, a.kind, a.digest, a.destructive, a.intent_at, a.outcome_at,"
            " a.outcome, a.detail FROM actions a JOIN runs r ON r.id = a.run"
            " WHERE ?1 IS NULL OR a.target = ?1 ORDER BY a.id DESC LIMIT ?2",
            (target, limit),
        ).fetchall()
    finally:
        connection.close()
    for row in rows:
        yield Record(
            run=row[0],
            scope=row[1],
            pid=row[2],
            target=row[3],
            kind=row[4],
            digest=row[5],
            destructive=bool(row[6]),
            intent_at=row[7],
            outcome_at=row[8],
            outcome=row[9],
            detail=row[10],
        )
