"""What a transaction needs of a switch, and the words it uses for what a switch says.

Owns the protocol and its data. Clients implement it for one switch operating system; the transaction and its
tests know nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from components.errors import DeviceError, Problem

RUNBOOK = "docs/runbooks/BgpSessionDown.md"
ESTABLISHED = "Established"


class SwitchError(DeviceError):
    """A switch did not do what was asked; carries which one."""

    def __init__(self, switch: str, message: str, *, found: str | None = None, remedy: str | None = None) -> None:
        problem = Problem(path=switch, message=message, found=found, remedy=remedy or f"see {RUNBOOK}")
        super().__init__(message, [problem])
        self.switch = switch


class SwitchUnreachableError(SwitchError):
    """No answer; what the switch did is not known."""


class SwitchRefusedError(SwitchError):
    """The switch answered that it does not do it, and has not."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A BGP session as the switch sees it."""

    state: str
    starts: int = 0
    """How often it was established since its neighbour was configured."""
    uptime_ms: int = 0
    """Whole seconds, as FRR counts."""
    prefixes: int = 0

    @property
    def is_up(self) -> bool:
        return self.state == ESTABLISHED


@dataclass(frozen=True, kw_only=True)
class Look:
    """Sessions at one moment, by port or address of the neighbour."""

    sessions: Mapping[str, Session] = field(default_factory=dict[str, Session])
    bfd: Mapping[str, str] = field(default_factory=dict[str, str])
    """Port -> `up`, `down`, `init`."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A commit that waits on the switch for its confirmation."""

    id: str
    owner: str
    """Who applied it: region and resource."""
    candidate_sha256: str
    remaining_s: float
    """Until the switch takes it back by itself."""
    before: Look
    """Sessions from before the first line changed."""
    previous: str
    """Running configuration from before the first line changed."""


@dataclass(frozen=True, kw_only=True)
class SwitchState:
    """Where the configuration of a switch stands."""

    pending: Pending | None
    accepted_sha256: str | None
    """Of the configuration that was confirmed last; None on a switch that was never configured."""


@dataclass(frozen=True, kw_only=True)
class Checked(SwitchState):
    """What a switch says of a candidate; nothing was changed."""

    look: Look
    delta: tuple[str, ...]
    """Lines that would go (`- `) and come (`+ `)."""
    drift: tuple[str, ...]
    """Lines that somebody else changed since the last confirmed commit."""
    running: str
    fresh: bool
    """Never configured by this toolkit."""
    rewrite: bool
    """The startup configuration is not the candidate, whatever runs."""

    @property
    def needs_change(self) -> bool:
        return bool(self.delta) or self.rewrite


@dataclass(frozen=True, kw_only=True)
class Desired:
    """What one switch is to become."""

    config: str
    expect_up: frozenset[str] = frozenset()
    """Ports whose session, and BFD where configured, must be up before the change is kept."""
    may_be_down: frozenset[str] = frozenset()
    """Ports whose far end need not be there yet; a session that was up still may not fall."""
    peers: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Port -> (switch, port) at the other end, where that is a switch."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.config.encode()).hexdigest()


class Switch(Protocol):
    """One switch. Every call may raise SwitchUnreachableError or SwitchRefusedError; each call connects if needed."""

    @property
    def name(self) -> str: ...

    async def connect(self) -> None:
        """Reach it and make it ready for the calls below."""
        ...

    async def state(self) -> SwitchState:
        """What waits and what was confirmed last."""
        ...

    async def check(self, config: str) -> Checked:
        """Let the switch itself validate the candidate."""
        ...

    async def apply(
        self, config: str, *, commit: str, owner: str, confirm_in_s: float, base: str, timeout_s: float
    ) -> None:
        """Change the lines behind an armed rollback timer. Refused if the running configuration is not `base`."""
        ...

    async def look(self) -> Look:
        """Sessions now."""
        ...

    async def confirm(self, commit: str) -> None:
        """Keep the lines and make them the startup configuration."""
        ...

    async def rollback(self, commit: str, why: str) -> None:
        """Take the lines back now."""
        ...

    async def close(self) -> None:
        """Let go of the connection; harmless when there is none."""
        ...
