"""The serverless runtime and the services on it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.catalogue.tray import GpuArchitecture
from components.spec.types import Domain, Id, Name


class Gateway(Model):
    """The region's front door."""

    name: Name
    vip_id: Id
    """Its address: first address of `pools.service_vips` + this."""


class Scaling(Model):
    """How many replicas, and when."""

    min: Annotated[int, Field(ge=0)]
    """0 lets the service sleep: no GPU is held while nobody asks."""
    max: Annotated[int, Field(ge=1)]
    target_concurrency: Annotated[int, Field(ge=1)]
    """Requests in flight that one replica should have."""
    idle_after_s: Annotated[int, Field(ge=1)]
    """Seconds without a request until it goes back to `min`."""


class Latency(Model):
    """How long requests of some clients may travel."""

    clients: Name
    """Site near which the clients are, of the catalogue's delays."""
    budget_ms: Annotated[int, Field(ge=1)]
    """Round trip on the network, without the time of the model."""


class Sovereignty(StrEnum):
    """Where a service may be."""

    EU = "eu"
    """Placed, cached and answered from within the Union only."""
    ANY = "any"


class Service(Model):
    """One function or model that answers requests."""

    name: Name
    namespace: Name
    """One of `cluster.namespaces`."""
    image: Name
    """Name in the artifact index; pulled by digest."""
    host: Domain
    """Host name in requests, within the site's domain."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """TCP port that the container listens on."""
    gpus: Annotated[int, Field(ge=0, le=16)]
    """Of each replica."""
    gpu_architectures: tuple[GpuArchitecture, ...] = ()
    """Generations of GPUs that it is built for; any where none is named."""
    nvlink_domain: bool = False
    """Whether all replicas must stand in one NVLink domain."""
    sovereignty: Sovereignty = Sovereignty.ANY
    latency: Latency | None = None
    scaling: Scaling


class Runtime(Model):
    """Gateway and services."""

    gateway: Gateway
    services: tuple[Service, ...] = ()
