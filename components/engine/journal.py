"""The journal: what was about to be done to a device, and what came of it.

Owns the record of physical actions and the rule that a killed run repeats none of them: intent is on
disk before the device is touched, outcome after, and an intent without outcome is resolved by looking
at the device. Deliberately does not know devices (callers observe and act) and holds no secret:
digests, names and redacted messages only. How it comes on disk is journal_file.py's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

from components.engine.action import Action, Observation, Outcome, Record
from components.engine.approval import Approval
from components.engine.journal_file import JournalError, JournalFile, history
from components.engine.journal_memory import Known
from components.engine.lock import RunLock
from components.plan.actions.action import ActionKind

__all__ = ["Action", "Journal", "JournalError", "Observation", "Outcome", "Record"]

DETAIL_LIMIT = 2000
"""Characters kept of an error; the whole text is in the log."""


Step = Callable[[], Awaitable[None]]


def _as_it_is(text: str) -> str:
    return text


class _RunClock:
    """Time by the wall at the start of the run, and from there on by the monotonic clock.

    So what actions took is right, and their times are in order, when the machine's clock is set meanwhile. Runs are
    in the order of their numbers.
    """

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()

    def now(self) -> float:
        return self._ahead + time.monotonic()


class Journal:
    """The journal of one region, open for one run."""

    def __init__(
        self,
        file: JournalFile,
        lock: RunLock,
        run: int,
        clock: _RunClock,
        redact: Callable[[str], str],
        permit: Callable[[Action], None],
    ) -> None:
        self._file = file
        self._lock = lock
        self._run = run
        self._clock = clock
        self._redact = redact
        self.require = permit
        """Raises NotApprovedError for an action that is not in the approved plan."""
        self._known = file.read("SELECT id, target, kind, digest, outcome FROM actions ORDER BY id", take=Known)

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
            file = JournalFile(path)
            try:
                clock = _RunClock()
                # The lock is ours, so whoever began these runs is dead.
                file.execute(
                    "UPDATE runs SET ended = ?, ending = 'interrupted' WHERE scope = ? AND ended IS NULL",
                    (clock.now(), scope),
                )
                rows = file.execute(
                    "INSERT INTO runs (scope, pid, started) VALUES (?, ?, ?) RETURNING id",
                    (scope, os.getpid(), clock.now()),
                )
                return cls(file, lock, rows[0][0], clock, redact, permit)
            except BaseException:
                file.close()
                raise
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """End the run and let the next one in."""
        try:
            # On a full disk the next run finds this one interrupted.
            with contextlib.suppress(JournalError):
                self._file.execute(
                    "UPDATE runs SET ended = ?, ending = 'ended' WHERE id = ?", (self._clock.now(), self._run)
                )
            self._file.close()
        finally:
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
        pending = self._known.pending(action)
        if seen is Observation.DONE:
            await self._record_done(action, pending)
            return Outcome.OBSERVED
        if seen is Observation.IN_PROGRESS:
            row = pending if pending is not None else await self._intend(action)
            await self._carry_out(row, action, await_done)
            await self._conclude(row, action, Outcome.OBSERVED)
            return Outcome.OBSERVED
        if pending is not None:
            await self._conclude(pending, action, Outcome.NOT_CARRIED_OUT)
        self.require(action)
        row = await self._intend(action)
        await self._carry_out(row, action, act, await_done)
        await self._conclude(row, action, Outcome.DONE)
        return Outcome.DONE

    def has_done(self, action: Action) -> bool:
        """Whether it was done, or seen as done, the last time that it was tried. Looks at no device."""
        return self._known.is_done(action)

    @staticmethod
    def read_history(path: Path, *, limit: int = 100, target: str | None = None) -> list[Record]:
        """The newest actions first. Needs no lock, so it answers while a run is under way."""
        return list(history(path, limit=limit, target=target)) if path.is_file() else []

    async def settle(self, target: str, seen: Callable[[str, str], Observation]) -> frozenset[str]:
        """Resolve what killed runs meant to do to `target`; `seen` tells of (kind, digest) by a look at it.

        Returns the kinds that turned out to be done.
        """
        outcomes = {Observation.DONE: Outcome.OBSERVED, Observation.ABSENT: Outcome.NOT_CARRIED_OUT}
        done: set[str] = set()
        for row, kind, digest in self._known.open_on(target):
            outcome = outcomes.get(seen(kind, digest))
            if outcome is not None:  # what is under way is adopted by the action that waits for it
                await self._conclude(row, Action(target=target, kind=ActionKind(kind), digest=digest), outcome)
            if outcome is Outcome.OBSERVED:
                done.add(kind)
        return frozenset(done)

    async def _carry_out(self, row: int, action: Action, *steps: Step | None) -> None:
        """Run the steps; a failure is an outcome, a cancellation is not: the device may go on."""
        try:
            for step in steps:
                if step is not None:
                    await step()
        except Exception as error:
            await self._conclude(row, action, Outcome.FAILED, str(error))
            raise

    async def _record_done(self, action: Action, pending: int | None) -> None:
        """Note what was found done, once: a run that changes nothing writes nothing."""
        if pending is not None:
            await self._conclude(pending, action, Outcome.OBSERVED)
        elif not self._known.is_done(action):
            now = self._clock.now()
            written = self._file.write(
                "INSERT INTO actions (run, target, kind, digest, destructive, intent_at, outcome_at, outcome)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*self._values(action), now, now, Outcome.OBSERVED),
                opens=False,
            )
            await self._then(written, lambda row: self._known.concluded(row, action, Outcome.OBSERVED))

    async def _intend(self, action: Action) -> int:
        written = self._file.write(
            "INSERT INTO actions (run, target, kind, digest, destructive, intent_at) VALUES (?, ?, ?, ?, ?, ?)",
            (*self._values(action), self._clock.now()),
            opens=True,
        )
        return await self._then(written, lambda row: self._known.opened(row, action))

    async def _conclude(self, row: int, action: Action, outcome: Outcome, detail: str | None = None) -> None:
        text = self._redact(detail)[:DETAIL_LIMIT] if detail is not None else None
        written = self._file.write(
            # An intent of a run before the clock was set back is not after its outcome.
            "UPDATE actions SET outcome = ?, outcome_at = MAX(intent_at, ?), detail = ? WHERE id = ?",
            (outcome, self._clock.now(), text, row),
            opens=False,
        )
        await self._then(written, lambda _: self._known.concluded(row, action, outcome))

    def _values(self, action: Action) -> tuple[object, ...]:
        return (self._run, action.target, action.kind, action.digest, int(action.destructive))

    @staticmethod
    async def _then(written: asyncio.Future[int], note: Callable[[int], None]) -> int:
        """Wait until it is on disk, and note it even if the waiting is cancelled."""

        def noted(done: asyncio.Future[int]) -> None:
            if done.exception() is None:
                note(done.result())

        written.add_done_callback(noted)
        return await asyncio.shield(written)
