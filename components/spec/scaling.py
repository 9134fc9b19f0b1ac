"""How many replicas a service has, and when."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.types import Name, Percent

Replicas = Annotated[int, Field(ge=0, le=10_000)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""Time of day in UTC, HH:MM."""


class Queue(Model):
    """The length of a queue, as a query that the region's metrics answer."""

    query: Annotated[str, Field(min_length=1, max_length=500)]
    """PromQL; only series of the tenant's own namespace are visible to it."""
    per_replica: Annotated[int, Field(ge=1)]
    """Waiting items that one replica should have."""


class Shift(Model):
    """A time of day at which there are more replicas, UTC."""

    start: Clock
    end: Clock
    replicas: Annotated[int, Field(ge=1)]


class RegionScaling(Model):
    """Other bounds in one region."""

    min: Replicas | None = None
    max: Annotated[int, Field(ge=1, le=10_000)] | None = None


Overrides = Annotated[Mapping[Name, RegionScaling], AfterValidator(MappingProxyType), PlainSerializer(dict)]


class Scaling(Model):
    """How many replicas, and when. Of several targets, the one that asks for most replicas wins."""

    min: Replicas = 0
    """0 lets the service sleep: no GPU is held while nobody asks."""
    max: Annotated[int, Field(ge=1, le=10_000)] = 1
    concurrency: Annotated[int, Field(ge=1)] | None = None
    """Requests in flight that one replica should have."""
    requests_per_second: Annotated[int, Field(ge=1)] | None = None
    """Requests a second that one replica should have, over `window_s`."""
    p95_ms: Annotated[int, Field(ge=1)] | None = None
    """Response time that 95 of 100 requests should stay within, ms."""
    cpu_percent: Percent | None = None
    """Of the CPU that a replica asks for."""
    memory_percent: Percent | None = None
    """Of the memory that a replica asks for."""
    queue: Queue | None = None
    schedule: tuple[Shift, ...] = ()
    idle_after_s: Annotated[int, Field(ge=1, le=43_200)] = 300
    """Seconds without a request until it sleeps; at most 12 hours."""
    window_s: Annotated[int, Field(ge=10, le=3600)] = 60
    """Seconds that a lower need must last until replicas are taken away, and over which rates are averaged."""
    step: Annotated[int, Field(ge=1)] | None = None
    """Replicas added or taken away at most in 15 seconds; no bound where none is given."""
    regions: Overrides = Field(default_factory=lambda: MappingProxyType({}))
    """Region -> bounds that differ there."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets that are set, in the order of the description's reference."""
        names = ("concurrency", "requests_per_second", "p95_ms", "cpu_percent", "memory_percent", "queue", "schedule")
        return tuple(name for name in names if getattr(self, name))
