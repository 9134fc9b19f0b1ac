"""What a bring-up works with: journal, pace, budgets, and ports to BMCs, passwords, packages, Ironic and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from components.engine.acceptance import AcceptanceLedger
from components.engine.bring_up.bmc import Bmc
from components.engine.budget import Budgets
from components.engine.journal import Journal
from components.plan.bring_up.compile import Plan
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.firmware import Endpoint


@dataclass(frozen=True, kw_only=True)
class Passwords:
    """What may open one endpoint. Never shown."""

    minted: str = field(repr=False)
    """Of this region; on disk since before anybody could set it."""
    factory: str = field(repr=False)
    is_set: bool
    """Whether an earlier run saw that the minted one opens it."""
    is_refused: bool
    """Whether both were refused so lately that another try could lock the account."""


class PasswordStore(Protocol):
    """Keeps minted passwords, for their owner only."""

    async def open_rack(self, rack: RackWork) -> Mapping[str, Passwords]:
        """By endpoint; what is missing is minted, and on disk when this returns."""
        ...

    async def note_set(self, rack: str, endpoint: str) -> None:
        """The minted password opens it."""
        ...

    async def note_refused(self, rack: str, endpoint: str) -> None:
        """No password opens it."""
        ...


class Nodes(Protocol):
    """Where trays are handed over to."""

    async def write(self, rack: RackWork, trays: Sequence[EndpointWork]) -> None:
        """The records of a rack's trays, in the form of a file for Ironic; again is harmless."""
        ...

    async def is_enrolled(self, rack: RackWork, tray: EndpointWork) -> bool:
        """Whether Ironic has it as described. Always true where the region has no Ironic yet."""
        ...

    async def enrol(self, rack: RackWork, tray: EndpointWork) -> None:
        """Make it known to Ironic; raises DeviceError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tempo:
    """How long things take. What machines do is shortened by a simulated fleet's compression, answers are not."""

    compression: float = 1.0
    allowance_s: float = 60.0
    """Added to every limit: for answers, and for what this program itself needs."""

    def machine_s(self, seconds: float) -> float:
        """Seconds of a machine, by our clock."""
        return seconds / self.compression

    def limit_s(self, seconds: float) -> float:
        """A limit on a machine, by our clock."""
        return seconds / self.compression + self.allowance_s


@dataclass(frozen=True, kw_only=True)
class Services:
    """The tools of one run."""

    plan: Plan
    journal: Journal
    budgets: Budgets
    connect: Callable[[EndpointWork], Bmc]
    passwords: PasswordStore
    nodes: Nodes
    packages: Mapping[Endpoint, Path]
    """The bundle's packages by kind of endpoint."""
    tempo: Tempo = Tempo()
    ledger: AcceptanceLedger | None = None
