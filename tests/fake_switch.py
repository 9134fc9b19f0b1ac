"""A switch in memory that keeps the promises of engine.switch.Switch, with a fabric of them and faults to order."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from components.engine.switch import (
    Checked,
    Look,
    Pending,
    Session,
    SwitchRefusedError,
    SwitchState,
    SwitchUnreachableError,
)

FACTORY = "frr defaults datacenter\n"


def config(*ports: str, asn: int = 65000, extra: str = "") -> str:
    """A configuration with one session on each port."""
    lines = [f"router bgp {asn}", " neighbor P peer-group", " neighbor P remote-as external"]
    lines += [f" neighbor {port} interface peer-group P" for port in ports]
    return "\n".join(["frr defaults datacenter", *lines, *([extra] if extra else []), "end"]) + "\n"


@dataclass
class FakeSwitch:
    """Times are real but short; sessions come up `converge_s` after the lines that ask for them."""

    name: str
    running: str = FACTORY
    startup: str = FACTORY
    accepted: str | None = None
    converge_s: float = 0.0
    calls: list[str] = field(default_factory=list[str])
    # Faults
    refuses_check: str | None = None
    refuses_apply: str | None = None
    unreachable_for: set[str] = field(default_factory=set[str])
    """Calls that find no answer."""
    down_after_apply: set[str] = field(default_factory=set[str])
    restarts_after_apply: set[str] = field(default_factory=set[str])
    hangs_in: str | None = None
    on_call: Callable[[str], None] | None = None
    _pending: Pending | None = None
    _deadline: float = 0.0
    _timer: asyncio.Task[None] | None = None
    _up_since: dict[str, float] = field(default_factory=dict[str, float])
    _starts: dict[str, int] = field(default_factory=dict[str, int])

    async def connect(self) -> None:
        await self._called("connect")

    async def state(self) -> SwitchState:
        await self._called("state")
        return SwitchState(pending=self._public(), accepted_sha256=self._accepted_sha256())

    async def check(self, config: str) -> Checked:
        await self._called("check")
        if self.refuses_check:
            raise SwitchRefusedError(self.name, "line 3 is not one that the switch knows", found=self.refuses_check)
        delta = tuple(_delta(self.running, config))
        drift: tuple[str, ...] = ()
        if delta and self.accepted is not None:
            drift = tuple(_delta(self.running, self.accepted))
        return Checked(
            pending=self._public(),
            accepted_sha256=self._accepted_sha256(),
            look=self._look(),
            delta=delta,
            drift=drift,
            running=self.running,
            fresh=self.accepted is None,
            rewrite=self.startup != config or self.accepted != config,
        )

    async def apply(
        self, config: str, *, commit: str, owner: str, confirm_in_s: float, base: str, timeout_s: float
    ) -> None:
        assert self._pending is None, "apply on top of a pending commit"
        assert base == _sha(self.running)
        before = self._look()
        self._pending = Pending(
            id=commit,
            owner=owner,
            candidate_sha256=_sha(config),
            remaining_s=0,
            before=before,
            previous=self.running,
        )
        self._deadline = time.monotonic() + confirm_in_s
        self._candidate = config
        self._timer = asyncio.get_running_loop().create_task(self._take_back_at(self._deadline, commit))
        self._become(config)
        if self.refuses_apply:
            self._take_back()
            await self._called("apply")
            raise SwitchRefusedError(self.name, self.refuses_apply)
        for port in self.restarts_after_apply:
            self.start_again(port)
        await self._called("apply")

    async def look(self) -> Look:
        await self._called("look")
        return self._look()

    async def confirm(self, commit: str) -> None:
        if "confirm-answer" in self.unreachable_for:
            self.unreachable_for.discard("confirm-answer")
            self._confirm(commit)
            raise SwitchUnreachableError(self.name, "the answer was lost")
        await self._called("confirm")
        self._confirm(commit)

    async def rollback(self, commit: str, why: str) -> None:
        await self._called("rollback")
        if self._pending is None or self._pending.id != commit:
            raise SwitchRefusedError(self.name, f"{commit} is not pending")
        self._take_back()

    async def close(self) -> None:
        self.calls.append("close")

    # The inside of the switch

    def settled(self, text: str) -> FakeSwitch:
        """Configured some time ago with all sessions up."""
        self.running = self.startup = self.accepted = text
        self._up_since = dict.fromkeys(_ports(text), time.monotonic() - 1000)
        return self

    def waiting(self, text: str, *, commit: str, owner: str, remaining_s: float) -> FakeSwitch:
        """As a controller leaves it that dies right after apply."""
        self._pending = Pending(
            id=commit,
            owner=owner,
            candidate_sha256=_sha(text),
            remaining_s=0,
            before=self._look(),
            previous=self.running,
        )
        self._candidate = text
        self._deadline = time.monotonic() + remaining_s
        self._become(text)
        self._timer = asyncio.get_running_loop().create_task(self._take_back_at(self._deadline, commit))
        return self

    def start_again(self, port: str) -> None:
        """The session falls and comes back at once."""
        self._up_since[port] = time.monotonic()
        self._starts[port] = self._starts.get(port, 0) + 1

    @property
    def has_pending(self) -> bool:
        return self._pending is not None

    def _confirm(self, commit: str) -> None:
        if self._pending is None or self._pending.id != commit:
            raise SwitchRefusedError(self.name, f"{commit} is not pending")
        self.startup = self.accepted = self._candidate
        self._pending = None

    def _take_back(self) -> None:
        assert self._pending is not None
        self._become(self._pending.previous)
        self._pending = None

    async def _take_back_at(self, deadline: float, commit: str) -> None:
        await asyncio.sleep(deadline - time.monotonic())
        if self._pending is not None and self._pending.id == commit:
            self._take_back()

    def _become(self, text: str) -> None:
        now = time.monotonic()
        restart = text.splitlines()[1:2] != self.running.splitlines()[1:2]
        before = {} if restart else self._up_since
        self._up_since = {port: before.get(port, now + self.converge_s) for port in _ports(text)}
        self.running = text

    def _look(self) -> Look:
        now = time.monotonic()
        sessions: dict[str, Session] = {}
        for port, since in self._up_since.items():
            is_up = now >= since and not (self._pending and port in self.down_after_apply)
            uptime, starts = int(now - since) * 1000, self._starts.get(port, 0)
            up = Session(state="Established", starts=starts, uptime_ms=uptime, prefixes=1)
            sessions[port] = up if is_up else Session(state="Idle")
        return Look(sessions=sessions)

    def _public(self) -> Pending | None:
        if self._pending is None:
            return None
        return replace(self._pending, remaining_s=self._deadline - time.monotonic())

    def _accepted_sha256(self) -> str | None:
        return None if self.accepted is None else _sha(self.accepted)

    async def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.on_call:
            self.on_call(what)
        if what in self.unreachable_for:
            raise SwitchUnreachableError(self.name, "no answer within the time limit")
        if self.hangs_in == what:
            await asyncio.sleep(3600)
        await asyncio.sleep(0)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _ports(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if " interface peer-group " in line]


def _delta(old: str, new: str) -> list[str]:
    before, after = old.splitlines(), new.splitlines()
    return [*(f"- no {x}" for x in before if x not in after), *(f"+ {x}" for x in after if x not in before)]
