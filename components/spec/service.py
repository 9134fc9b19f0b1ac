"""What tenants run: services that answer requests, workers that do not, jobs that end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.catalogue.tray import GpuArchitecture
from components.spec.types import Name, SecretReference

Port = Annotated[int, Field(ge=1, le=65535)]
Percent = Annotated[int, Field(ge=1, le=100)]
Replicas = Annotated[int, Field(ge=0, le=10_000)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""Time of day in UTC, HH:MM."""


Variables = Annotated[Mapping[VariableName, str], AfterValidator(MappingProxyType), PlainSerializer(dict)]
SecretVariables = Annotated[
    Mapping[VariableName, SecretReference], AfterValidator(MappingProxyType), PlainSerializer(dict)
]


class Kind(StrEnum):
    """How a service is used."""

    WEB = "web"
    """Answers requests through the gateway, and may sleep."""
    WORKER = "worker"
    """Runs without being called; scaled by its own load or a queue."""
    JOB = "job"
    """Runs to its end through the tenant's queue, all its pods at once or none."""


class Protocol(StrEnum):
    """What a port speaks."""

    HTTP = "http"
    HTTP2 = "http2"
    """HTTP/2 without TLS, as gRPC has it."""
    TCP = "tcp"


class Sovereignty(StrEnum):
    """Where a service may be."""

    EU = "eu"
    """Placed, cached and answered from within the Union only."""
    ANY = "any"


class ServicePort(Model):
    """A port that a service listens on."""

    port: Port = 8080
    protocol: Protocol = Protocol.HTTP


class Health(Model):
    """How a replica is known to be well. Failing pods are started again."""

    path: Annotated[str, Field(pattern=r"^/[^\s]*$")] | None = None
    """HTTP path that answers 2xx; without one, the port accepts a connection."""
    grace_s: Annotated[int, Field(ge=0, le=3600)] = 5
    """Seconds that a replica may take before its first check counts."""
    interval_s: Annotated[int, Field(ge=1, le=600)] = 60
    timeout_s: Annotated[int, Field(ge=1, le=60)] = 5
    restart_limit: Annotated[int, Field(ge=1, le=10)] = 3
    """Failures in a row until the replica is started again."""


class GpuNeed(Model):
    """What a replica needs of GPUs. It names properties, never a host: the plan finds where that is."""

    count: Annotated[int, Field(ge=1, le=72)] = 1
    """GPUs of each replica."""
    memory_gb: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Memory that each GPU must have, GB."""
    architectures: tuple[GpuArchitecture, ...] = ()
    """Generations that it is built for; any where none is named."""
    nvlink_domain: bool = False
    """Whether all replicas must stand in one NVLink domain."""


class Latency(Model):
    """How long requests of some clients may travel."""

    clients: Name
    """Site near which the clients are, of the catalogue's delays."""
    budget_ms: Annotated[int, Field(ge=1)]
    """Round trip on the network, without the time of the model."""


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


class Strategy(StrEnum):
    """How a new version takes over."""

    ROLLING = "rolling"
    """One replica after another; a version that does not start stops there."""
    CANARY = "canary"
    """By growing shares of the requests; errors take it back."""
    BLUE_GREEN = "blue_green"
    """Beside the old one, then all requests at once."""
    IMMEDIATE = "immediate"
    """All at once: the old one ends first. For what cannot run twice."""


class Rollout(Model):
    """How a new version takes over. A bad image never takes a working service down, but with `immediate`."""

    strategy: Strategy = Strategy.ROLLING
    weights: tuple[Percent, ...] = (10, 50)
    """Shares of the requests that a canary gets, one after the other, before it gets all, %."""
    pause_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    """Seconds that each share is watched."""
    max_error_percent: Annotated[int, Field(ge=0, le=100)] = 5
    """Answers of a canary with status 5xx, %, from which it is taken back."""


class Volume(Model):
    """A disk of the host that the service stays on."""

    name: Name
    path: Annotated[str, Field(pattern=r"^/[^\s]+$")]
    size_gib: Annotated[int, Field(ge=1, le=100_000)]


class Gang(Model):
    """The pods of a job, which start together or not at all."""

    pods: Annotated[int, Field(ge=1, le=4608)] = 1
    nvlink_domain: bool = False
    """Whether all must be in one NVLink domain."""
    retries: Annotated[int, Field(ge=0, le=20)] = 0
    """Times that a failed pod is started again."""
    limit_s: Annotated[int, Field(ge=1)] = 86_400
    """Seconds after which it is ended."""


class Service(Model):
    """One function or model of a tenant."""

    name: Name
    type: Kind = Kind.WEB
    image: Name | None = None
    """Name in the artifact index; pulled by digest. This or `model`."""
    model: Name | None = None
    """Name in the catalogue of models, which says image, arguments, port and GPUs. This or `image`."""
    context_tokens: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Of a model: the longest prompt with its answer, which memory is kept for; the catalogue's where none is given."""
    expected_duty: Annotated[float, Field(ge=0, le=1)] | None = None
    """For forecasts of cost: part of the room between its least and most replicas that is used in a month."""
    ports: tuple[ServicePort, ...] = (ServicePort(),)
    """The first one is where requests go; it is told to the container as PORT."""
    args: tuple[str, ...] = ()
    """Arguments of the container's entry point."""
    env: Variables = Field(default_factory=lambda: MappingProxyType({}))
    secrets: SecretVariables = Field(default_factory=lambda: MappingProxyType({}))
    """Environment variable -> where its secret value is."""
    bucket: bool = False
    """Whether its replicas are given the tenant's bucket: the variables that S3 clients read, and BUCKET, its name."""
    repeatable: bool | None = None
    """Whether a request of any method may be worked on twice, so that the gateway offers it again when what had it
    dies before an answer began. Methods that HTTP calls idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) always
    may. Where none is given: true of a model, whose requests do nothing but answer, else false."""
    health: Health | None = None
    regions: tuple[Name, ...] = ()
    """Regions that it runs in; the one whose file this is where none is named."""
    cpu: Annotated[float, Field(gt=0, le=1024)] = 0.1
    """Cores that each replica asks for."""
    memory_mib: Annotated[int, Field(ge=16, le=16_777_216)] = 64
    """Memory that each replica asks for, MiB; it may not use more than eight times that."""
    gpu: GpuNeed | None = None
    sovereignty: Sovereignty | None = None
    """The tenant's class where none is given."""
    latency: Latency | None = None
    scaling: Scaling = Field(default_factory=Scaling)
    rollout: Rollout = Rollout()
    volumes: tuple[Volume, ...] = ()
    job: Gang = Gang()
    """Of a job only."""

    @property
    def port(self) -> int:
        """Port that requests go to."""
        return self.ports[0].port if self.ports else ServicePort().port

    @property
    def is_repeatable(self) -> bool:
        """Whether a request of any method may be worked on twice: as it says, or as a model's may."""
        return self.model is not None if self.repeatable is None else self.repeatable

    @property
    def gpus(self) -> int:
        """GPUs of each replica."""
        return self.gpu.count if self.gpu else 0
