"""What a change does to the physical world: the shape that every view of a preview reads.

All of it is small at any size of region: what happens to many devices alike is one entry that names them all
in folded form (`ess-r[001-250]-t[01-16]`, see names.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.plan.actions.action import ActionKind
from components.plan.consequences.impact import (
    DomainEffect,
    NodeChange,
    NotReceived,
    ServiceEffect,
    Spares,
    TenantEffect,
)
from components.plan.cost import CostChange

SCHEMA = 1
"""Of the JSON form; raised when a key changes its meaning or goes."""


class Danger(StrEnum):
    """What an action may cost, most dangerous first."""

    HOST_LOST = "host-lost"
    """A host in service ends, and what is on its disks is lost."""
    WIPED = "wiped"
    """The disks of a machine that is not in service are wiped."""
    INTERRUPTED = "interrupted"
    """Something in service stops for a moment: a session, a daemon, a tenant's pods."""
    CHANGED = "changed"
    """A device changes, and nothing in service stops."""
    RECORDED = "recorded"
    """No device changes, only what is recorded of it."""


DANGERS = tuple(Danger)
"""From the most dangerous to the least."""


@dataclass(frozen=True, kw_only=True)
class ActionGroup:
    """The same action on one or many devices."""

    layer: str
    kind: ActionKind
    danger: Danger
    reason: str
    """Of all members; what differs between them is left out, and stands in `examples`."""
    count: int
    targets: tuple[str, ...]
    """All devices, folded."""
    racks: tuple[str, ...] = ()
    """The racks that they stand in, folded."""
    examples: tuple[str, ...] = ()
    """`target: reason` of the first ones, where the reasons are not all the same."""
    disrupts: tuple[str, ...] = ()
    """What flaps, folded."""
    disrupts_count: int = 0
    effects: tuple[str, ...] = ()
    """What it does to what is in service, in words."""
    details: tuple[str, ...] = ()
    """What differs; of many devices, of the first one."""
    details_left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class PowerChange:
    """Load that comes or goes."""

    before_kw: float
    after_kw: float
    racks_on: tuple[str, ...] = ()
    """Racks that come into service, folded."""
    racks_off: tuple[str, ...] = ()
    steps: tuple[PowerStep, ...] = ()
    """In the order in which they are switched on or off; alike ones in one entry."""
    site_kw: float | None = None
    """The site's budget, at the meter."""
    facility_before_kw: float | None = None
    """With cooling and losses."""
    facility_after_kw: float | None = None
    eur_per_hour: float | None = None
    """Difference of the energy cost, at the planned load."""


@dataclass(frozen=True, kw_only=True)
class PowerStep:
    """One or several equal steps of load."""

    kw: float
    """Of each step; below zero where load goes."""
    count: int
    racks: tuple[str, ...]
    rest_s: int = 0
    """Between two steps."""


class CableWork(StrEnum):
    """What is done with a cable by hand."""

    ADD = "add"
    MOVE = "move"
    REMOVE = "remove"


@dataclass(frozen=True, kw_only=True)
class CableGroup:
    """Cables of one network between the same kinds of devices, worked on alike."""

    work: CableWork
    network: str
    count: int
    devices: tuple[str, ...]
    """At either end, folded."""
    lengths: tuple[str, ...]
    """How many of which length and make, e.g. `72 in-rack, 2 m copper`."""
    examples: tuple[str, ...]
    """`leaf1 swp4 -> host eth1`, the first ones."""


@dataclass(frozen=True, kw_only=True)
class HandWork:
    """What people must do on the floor or on a host, since no action of the provider does it."""

    what: str
    """`flash`, `reboot`, `move rack`."""
    reason: str
    count: int
    targets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DurationPart:
    """A part of the estimate."""

    layer: str
    what: str
    seconds: int
    source: str
    """Where the figure comes from: `measured`, or a source of the table."""


@dataclass(frozen=True, kw_only=True)
class Duration:
    """Estimate; layers that do not need each other run side by side."""

    seconds: int
    parts: tuple[DurationPart, ...]


@dataclass(frozen=True, kw_only=True)
class RollbackStep:
    """What undoes a part of the change, or why nothing does."""

    what: str
    is_possible: bool
    how: str


@dataclass(frozen=True, kw_only=True)
class GoneRack:
    """A rack that the description no longer has, and where it stood."""

    rack: str
    profile: str
    hall: str
    row: int
    position: int
    trays: int


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """Everything that a change does, most dangerous first."""

    region: str
    is_first: bool
    """Whether nothing was recorded before: all of it is new."""
    actions: tuple[ActionGroup, ...]
    hand_work: tuple[HandWork, ...]
    gone: tuple[GoneRack, ...]
    """Racks that are no longer described."""
    domains: tuple[DomainEffect, ...]
    nodes: NodeChange
    tenants: tuple[TenantEffect, ...]
    services: tuple[ServiceEffect, ...]
    power: PowerChange | None
    """None where the load stays."""
    cables: tuple[CableGroup, ...]
    spares: Spares
    not_received: NotReceived
    duration: Duration
    rollback: tuple[RollbackStep, ...]
    notes: tuple[str, ...]
    """What the reader must know to judge the rest."""
    cost: CostChange | None
    """What a month costs, and what the change makes of it; None where it cannot be compared. An estimate."""
    digest: str
    """Of all that is done; estimates and notes are not in it."""

    @property
    def is_empty(self) -> bool:
        """Whether no device, cable, tenant or service is touched; records may still follow."""
        return (
            all(group.danger is Danger.RECORDED for group in self.actions)
            and not self.hand_work
            and not self.cables
            and self.power is None
            and not any(tenant.change for tenant in self.tenants)
            and not any(service.change for service in self.services)
        )

    @property
    def worst(self) -> Danger | None:
        """The most dangerous of the actions."""
        return self.actions[0].danger if self.actions else None
