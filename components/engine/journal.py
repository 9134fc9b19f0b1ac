"""The journal: what was about to be done to a device, and what came of it.

Owns the record of physical actions and the rule that a killed run repeats none of them: intent is on
disk before the device is touched, outcome after, and an intent without outcome is resolved by looking
at the device. Deliberately does not know devices (callers observe and act) and holds no secret:
digests, names and redacted messages only.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from components.engine.action import Action, Observation, Outcome, Record
from components.engine.approval import Approval
from components.engine.lock import RunLock

__all__ = ["Action", "Journal", "Observation", "Outcome", "Record"]

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
CREATE INDEX IF NOT EXISTS actions_by_target ON actions (target, kind, digest);
"""
DETAIL_LIMIT = 2000
"""Characters kept of an error; the whole text is in the log."""


Step = Callable[[], Awaitable[None]]


def _as_it_is(text: str) -> str:
    return text


class Journal:
    """The journal of one region, open for one run."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: RunLock,
        run: int,
        redact: Callable[[str], str],
        permit: Callable[[Action], None],
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._run = run
        self._redact = redact
        self.require = permit
        """Raises NotApprovedError for an action that is not in the approved plan."""
        # sqlite's work is done in threads, one at a time: an fsync must not stop the event loop.
        self._turn = asyncio.Lock()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        scope: str = "region",
        wait_s: float = 10.0,
        redact: Callable[[str], str] = _as_it_is,
        approval: Approval | None = None,
    ) -> Journal:
        """Open for writing. Blocks up to `wait_s` for another run of the same `scope`, then refuses.

        A scope is a set of devices that only one run may touch at a time: a stack such as
        `lab.fabric`. Layers that share no device run beside each other in one journal. With an `approval`
        nothing is done that is not in it.
        """

        def permit(action: Action) -> None:
            if approval is not None:
                approval.require(scope, action)

        path.parent.mkdir(parents=True, exist_ok=True)
        lock = RunLock.acquire(path.with_name(f"{path.name}.{scope}.lock"), wait_s=wait_s)
        try:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.executescript(SCHEMA)
            now = time.time()
            # The lock is ours, so whoever began these runs is dead.
            connection.execute(
                "UPDATE runs SET ended = ?, ending = 'interrupted' WHERE scope = ? AND ended IS NULL", (now, scope)
            )
            cursor = connection.execute(
                "INSERT INTO runs (scope, pid, started) VALUES (?, ?, ?)", (scope, os.getpid(), now)
            )
            return cls(connection, lock, int(cursor.lastrowid or 0), redact, permit)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """End the run and let the next one in."""
        self._connection.execute("UPDATE runs SET ended = ?, ending = 'ended' WHERE id = ?", (time.time(), self._run))
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def perform(
        self,
        action: Action,
        *,
        observe: Callable[[], Awaitable[Observation]],
        act: Step,
        await_done: Step | None = None,
    ) -> Outcome:
        """Do `action` unless the device shows that it is done or under way.

        `act` starts it (or does it whole), `await_done` waits for its end; both raise on failure. Raises
        NotApprovedError, and notes no intent, for an action that was not approved.
        """
        seen = await observe()
        pending = await self._pending(action)
        if seen is Observation.DONE:
            await self._record_done(action, pending)
            return Outcome.OBSERVED
        if seen is Observation.IN_PROGRESS:
            row = pending if pending is not None else await self._intend(action)
            await self._carry_out(row, await_done)
            await self._conclude(row, Outcome.OBSERVED)
            return Outcome.OBSERVED
        if pending is not None:
            await self._conclude(pending, Outcome.NOT_CARRIED_OUT)
        self.require(action)
        row = await self._intend(action)
        await self._carry_out(row, act, await_done)
        await self._conclude(row, Outcome.DONE)
        return Outcome.DONE

    @staticmethod
    def read_history(path: Path, *, limit: int = 100, target: str | None = None) -> list[Record]:
        """The newest actions first. Needs no lock, so it answers while a run is under way."""
        if not path.is_file():
            return []
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
        return [
            Record(
                run=r[0],
                scope=r[1],
                pid=r[2],
                target=r[3],
                kind=r[4],
                digest=r[5],
                destructive=bool(r[6]),
                intent_at=r[7],
                outcome_at=r[8],
                outcome=r[9],
                detail=r[10],
            )
            for r in rows
        ]

    async def settle(self, target: str, seen: Callable[[str, str], Observation]) -> frozenset[str]:
        """Resolve what killed runs meant to do to `target`; `seen` tells of (kind, digest) by a look at it.

        Returns the kinds that turned out to be done.
        """
        rows = await self._sql(
            "SELECT id, kind, digest FROM actions WHERE target = ? AND outcome IS NULL ORDER BY id", (target,)
        )
        outcomes = {Observation.DONE: Outcome.OBSERVED, Observation.ABSENT: Outcome.NOT_CARRIED_OUT}
        done: set[str] = set()
        for row, kind, digest in rows:
            outcome = outcomes.get(seen(kind, digest))
            if outcome is not None:  # what is under way is adopted by the action that waits for it
                await self._conclude(row, outcome)
            if outcome is Outcome.OBSERVED:
                done.add(kind)
        return frozenset(done)

    async def _carry_out(self, row: int, *steps: Step | None) -> None:
        """Run the steps; a failure is an outcome, a cancellation is not: the device may go on."""
        try:
            for step in steps:
                if step is not None:
                    await step()
        except Exception as error:
            await self._conclude(row, Outcome.FAILED, str(error))
            raise

    async def _pending(self, action: Action) -> int | None:
        """The intent of this action that has no outcome, if a run was killed or cancelled on it."""
        rows = await self._sql(
            "SELECT id FROM actions WHERE target = ? AND kind = ? AND digest = ? AND outcome IS NULL"
            " ORDER BY id DESC LIMIT 1",
            (action.target, action.kind, action.digest),
        )
        return rows[0][0] if rows else None

    async def _record_done(self, action: Action, pending: int | None) -> None:
        """Note what was found done, once: a run that changes nothing writes nothing."""
        if pending is not None:
            await self._conclude(pending, Outcome.OBSERVED)
            return
        known = await self._sql(
            "SELECT outcome FROM actions WHERE target = ? AND kind = ? AND digest = ? ORDER BY id DESC LIMIT 1",
            (action.target, action.kind, action.digest),
        )
        if not known or known[0][0] not in (Outcome.DONE, Outcome.OBSERVED):
            await self._conclude(await self._intend(action), Outcome.OBSERVED)

    async def _intend(self, action: Action) -> int:
        rows = await self._sql(
            "INSERT INTO actions (run, target, kind, digest, destructive, intent_at) VALUES (?, ?, ?, ?, ?, ?)"
            " RETURNING id",
            (self._run, action.target, action.kind, action.digest, int(action.destructive), time.time()),
        )
        return rows[0][0]

    async def _conclude(self, row: int, outcome: Outcome, detail: str | None = None) -> None:
        text = self._redact(detail)[:DETAIL_LIMIT] if detail is not None else None
        await self._sql(
            "UPDATE actions SET outcome = ?, outcome_at = ?, detail = ? WHERE id = ?", (outcome, time.time(), text, row)
        )

    async def _sql(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        async with self._turn:
            return await asyncio.to_thread(lambda: self._connection.execute(statement, values).fetchall())
