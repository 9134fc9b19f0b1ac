"""What tenants run: services that answer requests, workers that do not, jobs that end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.catalogue.tray import GpuArchitecture
from components.spec.rollout import Rollout
from components.spec.scaling import Scaling
from components.spec.types import Name, SecretReference

Port = Annotated[int, Field(ge=1, le=65535)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
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
    grpc: bool = False
    """Whether the standard health service of gRPC is asked (grpc.health.v1, about the server as a whole). In place of
    `path` where the first port speaks `http2`."""
    grace_s: Annotated[int, Field(ge=0, le=3600)] = 5
    """Seconds that a replica may take before its first check counts."""
    interval_s: Annotated[int, Field(ge=1, le=600)] = 60
    timeout_s: Annotated[int, Field(ge=1, le=60)] = 5
    restart_limit: Annotated[int, Field(ge=1, le=10)] = 3
    """Failures in a row until the replica is started again."""

    @property
    def asks_program(self) -> bool:
        """Whether the program must answer, so that it says when it is ready; not its port alone."""
        return self.grpc or self.path is not None


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
