"""Several switches change as one: all or none.

Owns the order of things: connect to all, check on all, apply on all behind rollback timers, look until every
session is good, confirm on all; on any failure take back what was applied. Deliberately does not know SSH or FRR
(engine/switch.py is the protocol) nor which session states are right (engine/session_verdict.py).

If this process dies between apply and confirm, each switch takes itself back. A later run that still finds its
own commit waiting either goes on from there or takes it back first; it never applies on top of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from components.engine import transaction_error as errors
from components.engine.commit_record import CommitRecord
from components.engine.fanout import on_all
from components.engine.journal import Journal
from components.engine.session_verdict import Fault, FaultKind, allowed_restarts, session_faults
from components.engine.switch import Checked, Desired, Look, Pending, Switch, SwitchUnreachableError
from components.errors import DeviceError

_log = logging.getLogger(__name__)
T = TypeVar("T")

GOOD_LOOKS = 2
"""A session may fall a moment after the change, so one good look is not enough."""
RESTART_TRIES = 2
"""A session that starts again once during a change may be chance, such as BFD on a busy switch; twice is the change."""
MARGIN_S = 5.0
"""Kept of the rollback timer for the confirm itself."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long a transaction waits for what."""

    confirm_in_s: float = 60
    """Rollback timer of each switch, from before its first line changes."""
    settle_s: float = 15
    """Within this the sessions must be good."""
    look_every_s: float = 1


@dataclass(frozen=True, kw_only=True)
class TransactionResult:
    """What a transaction came to."""

    changed: tuple[str, ...]
    """Switches whose configuration is new; empty when nothing was to do."""
    resumed: bool = False
    """The lines were applied by an earlier run that did not live to confirm them."""


@dataclass(frozen=True, kw_only=True)
class _Applied:
    """What stands on the switches behind rollback timers."""

    commit: str
    names: tuple[str, ...]
    before: Mapping[str, Look]
    may_restart: frozenset[tuple[str, str]]
    until: float
    """When the first switch takes itself back, by this process's monotonic clock."""
    resumed: bool = False


class Transaction:
    """One change of a group of switches."""

    def __init__(
        self,
        switches: Mapping[str, Switch],
        desired: Mapping[str, Desired],
        *,
        owner: str,
        journal: Journal,
        timing: Timing | None = None,
    ) -> None:
        """`owner` names region and resource. The run lock keeps a second run of it away, so what waits on a
        switch under this name was left by a run that is dead."""
        self._switches = switches
        self._desired = desired
        self._owner = owner
        self._timing = timing or Timing()
        self._record = CommitRecord(journal, switches)

    async def run(self) -> TransactionResult:
        """Bring all switches to what is desired, or leave all as they were and say why."""
        try:
            await self._on_all(self._switches, lambda n: self._switches[n].connect(), errors.not_reached)
            for _ in range(RESTART_TRIES - 1):
                with contextlib.suppress(errors.SessionRestartError):
                    return await self._attempt()
                _log.warning("a session started again that the change leaves alone; taken back, one more try")
            return await self._attempt()
        finally:
            await asyncio.gather(*(s.close() for s in self._switches.values()), return_exceptions=True)

    async def _attempt(self) -> TransactionResult:
        checked = await self._check()
        applied = await self._resume(checked)
        if applied is None:
            if any(c.pending for c in checked.values()):
                await self._clear(checked)
                checked = await self._check()
            applied = await self._change(checked)
        if applied is None:
            return TransactionResult(changed=())
        await self._taking_back(applied, self._settle(applied))
        await self._confirm(applied)
        return TransactionResult(changed=applied.names, resumed=applied.resumed)

    async def _on_all(
        self,
        names: Iterable[str],
        ask: Callable[[str], Awaitable[T]],
        failure: Callable[[Mapping[str, DeviceError]], DeviceError],
    ) -> dict[str, T]:
        good, bad = await on_all(names, ask)
        if bad:
            raise failure(bad)
        return good

    async def _check(self) -> dict[str, Checked]:
        return await self._on_all(
            self._switches, lambda n: self._switches[n].check(self._desired[n].config), errors.refused
        )

    # What an earlier run left

    def _is_own(self, waiting: Pending) -> bool:
        return waiting.owner == self._owner

    async def _resume(self, checked: Mapping[str, Checked]) -> _Applied | None:
        """Take over a commit of the same content that a dead run applied everywhere and did not confirm."""
        waiting = {n: c.pending for n, c in checked.items() if c.pending is not None}
        same = all(
            self._is_own(p) and p.id.startswith(self._content()) and p.candidate_sha256 == self._desired[n].sha256
            for n, p in waiting.items()
        )
        rest_is_done = all(n in waiting or not c.needs_change for n, c in checked.items())
        left = min((p.remaining_s for p in waiting.values()), default=0.0)
        if not waiting or not same or not rest_is_done or len({p.id for p in waiting.values()}) != 1:
            return None
        if left < self._timing.settle_s + MARGIN_S:
            return None  # no time to look properly: taking back and starting afresh is safer
        for name in checked:
            await self._record.found(name, self._desired[name], confirmed=name not in waiting)
        now = time.monotonic()
        _log.info("going on with commit of an earlier run on %s", ", ".join(sorted(waiting)))
        return _Applied(
            commit=next(iter(waiting.values())).id,
            names=tuple(waiting),
            before={n: p.before for n, p in waiting.items()},
            may_restart=allowed_restarts({n: p.previous for n, p in waiting.items()}, self._desired),
            until=now + left,
            resumed=True,
        )

    async def _clear(self, checked: Mapping[str, Checked]) -> None:
        """Take back what a dead run of ours left; wait for what somebody else has under way."""
        waiting = {n: c.pending for n, c in checked.items() if c.pending is not None}

        async def clear(name: str) -> None:
            commit = waiting[name]
            if self._is_own(commit):
                await self._record.roll_back(name, commit.id, "left by a run that died")
                return
            deadline = time.monotonic() + commit.remaining_s + MARGIN_S
            while (still := (await self._switches[name].state()).pending) is not None:
                if time.monotonic() > deadline or still.id != commit.id:
                    raise errors.waiting(name, still.owner, still.remaining_s)
                await asyncio.sleep(self._timing.look_every_s)

        await self._on_all(waiting, clear, errors.not_cleared)

    # The change itself

    def _content(self) -> str:
        """Names the content of the whole change: the same inputs give the same text."""
        lines = "".join(f"{n} {self._desired[n].sha256}\n" for n in sorted(self._desired))
        return hashlib.sha256(lines.encode()).hexdigest()[:12]

    async def _change(self, checked: Mapping[str, Checked]) -> _Applied | None:
        """Apply on every switch that needs it; None if none does."""
        if drifted := {n: c for n, c in checked.items() if c.drift}:
            raise errors.drift(drifted)
        names = tuple(n for n, c in checked.items() if c.needs_change)
        for name in checked.keys() - set(names):
            await self._record.found(name, self._desired[name], confirmed=True)
        if not names:
            return None
        timing, now = self._timing, time.monotonic()
        applied = _Applied(
            commit=f"{self._content()}-{uuid.uuid4().hex[:6]}",
            names=names,
            before={n: c.look for n, c in checked.items()},
            may_restart=allowed_restarts({n: checked[n].running for n in names}, self._desired),
            until=now + timing.confirm_in_s,
        )

        self._record.require({name: self._desired[name] for name in names})

        async def apply(name: str) -> None:
            await self._record.apply(
                name,
                self._desired[name],
                commit=applied.commit,
                owner=self._owner,
                confirm_in_s=timing.confirm_in_s,
                base=hashlib.sha256(checked[name].running.encode()).hexdigest(),
                timeout_s=max(MARGIN_S, timing.confirm_in_s - timing.settle_s - MARGIN_S),
            )

        await self._taking_back(applied, self._on_all(names, apply, errors.not_applied))
        return applied

    async def _taking_back(self, applied: _Applied, step: Awaitable[object]) -> None:
        """Run a step of which any failure takes everything back."""
        try:
            await step
        except DeviceError as failure:
            left = await self._take_back(applied, "the change was not good")
            raise errors.taken_back(
                failure, left, await self._unwell(applied), applied.until - time.monotonic()
            ) from failure
        except asyncio.CancelledError:
            await asyncio.shield(self._take_back(applied, "the run was cancelled"))
            raise

    async def _take_back(self, applied: _Applied, why: str) -> dict[str, DeviceError]:
        """Returns the switches that could not be told; their timers do it."""
        _, bad = await on_all(applied.names, lambda n: self._record.roll_back(n, applied.commit, why))
        return bad

    async def _look(self, names: Iterable[str]) -> tuple[dict[str, Look], dict[str, DeviceError]]:
        return await on_all(names, lambda n: self._switches[n].look())

    async def _unwell(self, applied: _Applied) -> list[str]:
        """Sessions that were up before and are not yet up again, after at most the time to settle."""
        deadline = time.monotonic() + self._timing.settle_s
        while True:
            looks, _ = await self._look(applied.before)
            down = [
                f"{name} {port}"
                for name, look in looks.items()
                for port, was in applied.before[name].sessions.items()
                if was.is_up and not ((now := look.sessions.get(port)) and now.is_up)
            ]
            if not down or time.monotonic() > deadline:
                return sorted(down)
            await asyncio.sleep(self._timing.look_every_s)

    async def _settle(self, applied: _Applied) -> None:
        """Look at every switch of the group, changed or not, until all are good twice running."""
        deadline = min(time.monotonic() + self._timing.settle_s, applied.until - MARGIN_S)
        good = 0
        while True:
            looks, silent = await self._look(self._switches)
            faults = [fault for name, look in looks.items() for fault in self._faults(name, look, applied)]
            good = 0 if faults or silent else good + 1
            if good == GOOD_LOOKS:
                return
            if time.monotonic() > deadline or any(f.kind is FaultKind.FINAL for f in faults):
                raise errors.not_good(faults, silent, self._timing.settle_s)
            await asyncio.sleep(self._timing.look_every_s)

    def _faults(self, name: str, look: Look, applied: _Applied) -> list[Fault]:
        return session_faults(
            name,
            self._desired[name],
            applied.before.get(name, Look()),
            look,
            may_restart=applied.may_restart,
        )

    async def _confirm(self, applied: _Applied) -> None:
        """Keep the change. A switch that does not answer is asked again until its timer ends."""

        async def confirm(name: str) -> None:
            unsure = False
            while True:
                try:
                    return await self._record.confirm(name, self._desired[name], applied.commit, unsure=unsure)
                except SwitchUnreachableError:
                    if time.monotonic() + self._timing.look_every_s > applied.until:
                        raise
                    unsure = True  # the answer may be what was lost
                    await asyncio.sleep(self._timing.look_every_s)

        done, bad = await on_all(applied.names, confirm)
        if bad:
            raise errors.half_confirmed(tuple(done), bad)
