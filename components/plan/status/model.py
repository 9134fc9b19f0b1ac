"""What the status page shows, as plain data. Who reads it from the region is `region status --html`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Level(StrEnum):
    """How a thing is; each has a word and a shape beside its colour."""

    GOOD = "good"
    IDLE = "asleep"
    BUSY = "starting"
    WARN = "warning"
    BAD = "needs somebody"


@dataclass(frozen=True, kw_only=True)
class TenantLine:
    """One tenant."""

    name: str
    level: Level
    state: str
    services: int
    gpus_used: int
    gpus_allowed: int
    pods_used: int
    pods_allowed: int
    waiting: int
    budget_eur: float | None
    spent_eur: float | None
    """None where it is not known."""


@dataclass(frozen=True, kw_only=True)
class ServiceLine:
    """One service."""

    key: str
    kind: str
    level: Level
    state: str
    """Cause in a word or two."""
    says: str
    evidence: tuple[str, ...]
    next_step: str
    ready: int
    wanted: int
    gpus: int
    """That its replicas hold."""
    eur: float | None
    """Of the month until now."""


@dataclass(frozen=True, kw_only=True)
class ReplicaLine:
    """One pod."""

    service: str
    pod: str
    node: str
    devices: tuple[str, ...]
    is_ready: bool


@dataclass(frozen=True, kw_only=True)
class GpuLine:
    """The GPUs of one host."""

    node: str
    model: str
    level: Level
    published: int
    planned: int
    claimed: int
    holders: tuple[str, ...]
    """Namespace and pod."""


@dataclass(frozen=True, kw_only=True)
class EdgeLine:
    """One edge."""

    name: str
    site: str
    address: str
    level: Level
    state: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """All of it. A part that could not be read is None, and `unread` says why."""

    region: str
    at: datetime
    tenants: tuple[TenantLine, ...] | None
    services: tuple[ServiceLine, ...] | None
    replicas: tuple[ReplicaLine, ...] | None
    gpus: tuple[GpuLine, ...] | None
    edges: tuple[EdgeLine, ...] | None
    cost_eur: float | None
    """Of the month until now, all tenants."""
    unread: tuple[tuple[str, str], ...] = ()
    """Part, and why it is not known."""
