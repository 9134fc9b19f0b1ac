"""What a replica needs of GPUs, and why a pool does not have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor

from components.plan.fleet.pool import GIB_IN_GB, Pool
from components.spec.service import GpuNeed


@dataclass(frozen=True, kw_only=True)
class Need:
    """Properties, never a host."""

    count: int = 1
    """GPUs of one replica."""
    memory_gib: int = 0
    """That each of them must have."""
    architectures: tuple[str, ...] = ()
    """Generations that it is built for; any where none is named."""
    together: int = 0
    """GPUs that must reach each other's memory by NVLink; 0 where it does not matter."""


@dataclass(frozen=True, kw_only=True)
class Lack:
    """One thing that a pool does not have."""

    what: str
    """`GPUs of one host`, `memory`, `architecture`, `NVLink domain`, `GPUs of the pool`."""
    asked: str
    has: str
    ratio: float
    """How far it is away: what is there, of what was asked for; 0 where it is another kind altogether."""


def need_of(gpu: GpuNeed, max_replicas: int = 1) -> Need:
    """Of a service's own words. GB of a datasheet become whole GiB, so 24 GB is what an L4 has."""
    return Need(
        count=gpu.count,
        memory_gib=floor((gpu.memory_gb or 0) / GIB_IN_GB),
        architectures=tuple(gpu.architectures),
        together=gpu.count * max_replicas if gpu.nvlink_domain else 0,
    )


def fits(pool: Pool, need: Need) -> bool:
    """Whether every replica can run there."""
    return (
        need.count <= pool.gpus_per_host
        and need.memory_gib <= pool.memory_gib
        and need.together <= pool.domain
        and (not need.together or pool.domain > 1)
        and max(need.count, need.together) <= pool.gpus
        and (not need.architectures or pool.architecture in need.architectures)
    )


def lacks(pool: Pool, need: Need) -> tuple[Lack, ...]:
    """Everything that it does not have; empty exactly where it fits."""
    return tuple(_lacks(pool, need))


def _lacks(pool: Pool, need: Need) -> Iterator[Lack]:
    if need.architectures and pool.architecture not in need.architectures:
        yield Lack(what="architecture", asked=" or ".join(need.architectures), has=pool.architecture, ratio=0)
    if need.count > pool.gpus_per_host:
        yield _fewer("GPUs of one host", need.count, pool.gpus_per_host)
    if need.memory_gib > pool.memory_gib:
        has = f"{pool.memory_gib} GiB" if pool.memory_gib else "not known"
        ratio = pool.memory_gib / need.memory_gib
        yield Lack(what="memory of a GPU", asked=f"{need.memory_gib} GiB", has=has, ratio=ratio)
    if need.together > pool.domain or (need.together and pool.domain == 1):
        yield _fewer("GPUs of one NVLink domain", max(need.together, 2), pool.domain)
    if max(need.count, need.together) > pool.gpus:
        yield _fewer("GPUs of the pool", max(need.count, need.together), pool.gpus)


def _fewer(what: str, asked: int, has: int) -> Lack:
    return Lack(what=what, asked=str(asked), has=str(has), ratio=has / asked)
