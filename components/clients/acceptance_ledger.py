"""The one writer of a region's acceptance ledger.

Owns that an entry is on this machine's disk before `record` returns, that many entries share one write, and that closed
batches reach the object store: at once, or by a later run when the store is away. Killed anywhere it leaves a ledger
that the next run goes on with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from components.clients.acceptance_folder import RUNBOOK, LedgerError, LedgerFolder
from components.clients.acceptance_store import LedgerStore, StoreAwayError
from components.engine.acceptance import JSON, AcceptanceEvent, Entry, Line
from components.engine.acceptance_chain import Chain
from components.engine.acceptance_verdict import Anchor
from components.engine.lock import RunLock
from components.errors import DeviceError, Problem

BATCH_BYTES = 1 << 20
BATCH_S = 60.0
"""A batch is closed when it is this large or this old, and at the end."""
_LOCK_WAIT_S = 10.0


class Ledger:
    """Open for one run: `async with Ledger.open(...) as ledger`."""

    def __init__(
        self,
        region: str,
        folder: LedgerFolder,
        store: LedgerStore | None,
        lock: RunLock,
        clock: Callable[[], float],
    ) -> None:
        self._folder, self._store, self._lock, self._clock = folder, store, lock, clock
        self._chain = Chain(region)
        self._pending: list[bytes] = []
        self._written: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._upload: asyncio.Task[None] | None = None
        self._broken: LedgerError | None = None
        self._batch_began: float | None = None
        self.added = 0
        """Entries of this run."""
        self.away = ""
        """Why batches wait on this machine; empty when none does."""

    @classmethod
    def open(
        cls,
        region: str,
        folder: LedgerFolder,
        store: LedgerStore | None,
        *,
        wait_s: float = _LOCK_WAIT_S,
        clock: Callable[[], float] = time.time,
    ) -> Ledger:
        """Read what is recorded. Raises RunInProgressError while another run writes, LedgerError for a damaged one."""
        lock = RunLock.acquire(folder.lock, wait_s=wait_s)
        try:
            ledger = cls(region, folder, store, lock, clock)
            folder.recover()
            ledger._fetch()
            ledger._replay()
        except BaseException:
            lock.release()
            raise
        return ledger

    async def __aenter__(self) -> Ledger:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def head(self) -> Anchor | None:
        """The last entry."""
        return Anchor(self._chain.number, self._chain.head) if self._chain.number else None

    def knows(self, serial: str) -> bool:
        """Whether the serial number has an entry."""
        return self._chain.knows(serial)

    async def record(
        self,
        *,
        serial: str,
        event: AcceptanceEvent,
        device: str,
        evidence: Mapping[str, JSON],
        requirement: str | None = None,
    ) -> None:
        """See `components.engine.acceptance.AcceptanceLedger`. Raises LedgerError when it cannot be recorded."""
        if self._broken is not None:
            raise self._broken
        line = self._chain.extend(
            at_ms=int(self._clock() * 1000),
            serial=serial,
            device=device,
            event=event,
            evidence=evidence,
            requirement=requirement,
        )
        if line is not None:
            self._pending.append(line.text())
        elif self._written is None:
            return
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(self._written)

    async def close(self) -> None:
        """Write what is left, close the batch, bring it to the store if it is there, and let the next run in."""
        try:
            if self._writer is not None:
                await asyncio.shield(self._writer)
            if self._broken is None:
                self._close_batch()
            if self._upload is not None:
                await self._upload
        finally:
            self._folder.close()
            self._lock.release()

    async def _write(self) -> None:
        """Write rounds until nothing is left: what comes while one is written is the next one."""
        try:
            while self._pending:
                lines, written = self._pending, self._written
                self._pending, self._written = [], None
                try:
                    size = await asyncio.to_thread(self._folder.append, b"".join(lines))
                except LedgerError as error:
                    self._broken = error
                    for waiting in (written, self._written):
                        if waiting is not None:
                            waiting.set_exception(error)
                            waiting.exception()  # whoever waited may have been cancelled
                    self._pending = []
                    return
                self.added += len(lines)
                if written is not None:
                    written.set_result(None)
                now = self._clock()
                if self._batch_began is None:
                    self._batch_began = now
                if size >= BATCH_BYTES or now - self._batch_began >= BATCH_S:
                    self._close_batch()
        finally:
            self._writer = None

    def _close_batch(self) -> None:
        self._batch_began = None
        self._folder.close_batch()
        if self._store is not None and (self._upload is None or self._upload.done()):
            self._upload = asyncio.create_task(self._bring(self._store))

    async def _bring(self, store: LedgerStore) -> None:
        """Bring the batches to the store that it was not seen to hold, in order. Harmless when done twice."""
        try:
            while name := self._next_to_bring():
                content = self._folder.read(name)
                await asyncio.to_thread(store.write, name, content)
                self._folder.set_anchor(name, _end_of(content))
            self.away = ""
        except DeviceError as error:
            self.away = error.reasons

    def _next_to_bring(self) -> str | None:
        brought, _ = self._folder.anchor()
        return next((name for name in self._folder.batches() if name > brought), None)

    def _fetch(self) -> None:
        """Take over what other machines wrote."""
        if self._store is None:
            return
        try:
            here = set(self._folder.batches())
            for name in self._store.batches():
                if name not in here:
                    content = self._store.read(name)
                    self._folder.take(name, content)
                    self._folder.set_anchor(name, _end_of(content))
        except StoreAwayError as error:
            self.away = error.reasons

    def _replay(self) -> None:
        for name, content in self._folder.contents():
            for text in content.splitlines():
                try:
                    self._chain.add(Line.read(text))
                except ValueError as error:
                    raise LedgerError(
                        "the acceptance ledger is not whole, so nothing is added to it",
                        [
                            Problem(
                                path=f"{self._folder.path.name}/{name}",
                                message=str(error),
                                remedy=f"`region ledger verify` names the entry; see {RUNBOOK}",
                            )
                        ],
                    ) from error


def _end_of(content: bytes) -> Anchor:
    line = Line.read(content.splitlines()[-1])
    return Anchor(Entry.of(line.body).number, line.digest)
