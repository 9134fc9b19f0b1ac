"""Who notices a change, and what is left afterwards: the shapes of domains, nodes, tenants, services and spares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DomainEffect:
    """NVLink domains that lose trays in the same way."""

    domains: tuple[str, ...]
    """Folded."""
    count: int
    gpus: int
    """Of one domain."""
    gpus_away: int
    """Of one domain, at one time."""
    is_for_good: bool
    """Whether they come back within this change."""


@dataclass(frozen=True, kw_only=True)
class NodeChange:
    """Kubernetes nodes; each name folded."""

    leaving_and_back: tuple[str, ...] = ()
    """Their hosts are made anew: they must be drained, and they join again."""
    leaving: tuple[str, ...] = ()
    """Drained, and gone."""
    joining: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    """Playbooks work on them while they serve."""
    leaving_and_back_count: int = 0
    leaving_count: int = 0
    joining_count: int = 0
    restarted_count: int = 0
    at_one_time: int = 0
    """The most that are away at once, by the budget of each rack."""


@dataclass(frozen=True, kw_only=True)
class TenantEffect:
    """What a tenant notices."""

    namespace: str
    change: str
    """`new`, `gone: all that runs in it ends`, `quota changes from ... to ...`, or empty."""
    quota_gpus: int
    share_lost: float
    """Of the cluster's GPUs, at one time, while the change runs; 0 to 1."""
    gpus_left: int
    """Of the cluster's, at that time."""
    is_short: bool
    """Whether the quotas of all tenants no longer fit in what is left."""


@dataclass(frozen=True, kw_only=True)
class ServiceEffect:
    """What the callers of a service notice."""

    service: str
    namespace: str
    change: str
    """`new`, `gone`, what of it changes, or empty."""
    restarts: bool
    """Whether its pods are made anew."""
    gpus: int
    """Of one replica."""
    replicas_before: int
    """That the cluster has GPUs for, at most the service's own limit."""
    replicas_during: int
    share_lost: float
    is_below_min: bool
    lands: str = ""
    """Where its GPUs are, and why; empty without GPUs, and where nothing of it changes."""


@dataclass(frozen=True, kw_only=True)
class SpareGroup:
    """NVLink domains, or racks without one, with the same spare capacity after the change."""

    domains: tuple[str, ...]
    count: int
    trays: int
    spare_trays: int
    """Received, and held back."""
    spare_gpus: int


@dataclass(frozen=True, kw_only=True)
class Spares:
    """Capacity that is held back, after the change."""

    region_trays: int
    region_gpus: int
    groups: tuple[SpareGroup, ...]


@dataclass(frozen=True, kw_only=True)
class NotReceived:
    """Trays that are described and not there: planned, and nothing is done to them."""

    count: int
    trays: tuple[str, ...]
