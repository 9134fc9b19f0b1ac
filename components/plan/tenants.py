"""Tenants and their services, as they are to stand in a cluster.

Owns what follows from a tenant's file alone: names, images by digest, bounds of this region. Where the GPUs of
a service are is decided in components/plan/fleet.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.plan.fleet import GpuPlan
from components.plan.landing import Landing, Landings
from components.plan.models import ModelPlan
from components.plan.tenancy.steered import steered_domain_of, steered_domains
from components.plan.workload import Workload, workload_of
from components.spec.artifacts import ArtifactIndex
from components.spec.derive import service_host, tenant_bucket, tenant_namespace
from components.spec.region import Region
from components.spec.rollout import Rollout
from components.spec.scaling import Queue, Scaling, Shift
from components.spec.service import Gang, Health, Kind, Protocol, Service, ServicePort, Sovereignty, Volume
from components.spec.tenant import ApiKey, Budget, Person, Tenant
from components.words import count

DEFAULT_CONCURRENCY = 100
"""Requests in flight a replica of a web service that names no target: Knative's default, which users know."""


_ROLLING = Rollout()


@dataclass(frozen=True, kw_only=True)
class TenantPlan:
    """A tenant's part of a cluster."""

    name: str
    namespace: str
    pods: int
    gpus: int
    borrow_gpus: int = 0
    cpu: int | None = None
    memory_gib: int | None = None
    domain: str = ""
    """All its services are called below this name."""
    steered: tuple[tuple[str, str], ...] = ()
    """Zone of the steering, and the name in it below which services are called that run in several regions."""
    people: tuple[Person, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    rate_limit_rps: int | None = None
    budget: Budget | None = None
    bucket: str = ""
    """Its bucket in the region's object store, and the account that it belongs to."""
    bucket_key: int = 1
    """Number of the account's key."""
    bucket_gb: float | None = None
    """For forecasts: what the bucket is expected to hold."""


@dataclass(frozen=True, kw_only=True)
class ScalingPlan:
    """How many replicas, and when, in this region."""

    concurrency: int | None = None
    requests_per_second: int | None = None
    p95_ms: int | None = None
    cpu_percent: int | None = None
    memory_percent: int | None = None
    queue: Queue | None = None
    schedule: tuple[Shift, ...] = ()
    window_s: int = 60
    step: int | None = None


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """A serverless service, a worker or a job."""

    name: str
    tenant: str
    namespace: str
    kind: Kind = Kind.WEB
    image: str
    """By digest."""
    args: tuple[str, ...] = ()
    host: str
    """Its name in this region."""
    steered_host: str | None = None
    """Its name over all its regions; None where it runs in one, or this region is no edge."""
    ports: tuple[ServicePort, ...]
    """The first is where requests go."""
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    """Environment variable and reference to its value."""
    health: Health | None = None
    cpu: float = 0.1
    memory_mib: int = 64
    gpus: int
    nvlink_domain: bool = False
    gpu: GpuPlan | None = None
    """Where its GPUs are; None without any."""
    model: ModelPlan | None = None
    """What is served, where the service names a model."""
    expected_duty: float | None = None
    """For forecasts: part of the room between its least and most replicas that is used."""
    sovereignty: Sovereignty = Sovereignty.EU
    min_replicas: int
    max_replicas: int
    idle_after_s: int
    scaling: ScalingPlan
    rollout: Rollout = _ROLLING
    volumes: tuple[Volume, ...] = ()
    job: Gang | None = None
    bucket_key: int = 0
    """Number of the key of the tenant's bucket that its replicas are given; 0: they are given none."""
    has_keys: bool = False
    """Whether the gateway asks for one of the tenant's keys."""
    rate_limit_rps: int | None = None
    is_repeatable: bool = False
    """Whether a request of any method may be worked on twice."""

    @property
    def port(self) -> int:
        """Port that requests go to."""
        return self.ports[0].port

    @property
    def speaks_http2(self) -> bool:
        """Whether requests must come as HTTP/2, as those of gRPC."""
        return bool(self.ports) and self.ports[0].protocol is Protocol.HTTP2

    @property
    def hosts(self) -> tuple[str, ...]:
        """All names that it answers to."""
        return (self.host, self.steered_host) if self.steered_host else (self.host,)

    @property
    def gpu_pools(self) -> tuple[str, ...]:
        """Where its GPUs are, in order of price."""
        return self.gpu.pools if self.gpu else ()

    @property
    def url(self) -> str | None:
        """Where clients in this region call it; None of what nobody calls."""
        return f"{'https' if self.has_keys else 'http'}://{self.host}/" if self.kind is Kind.WEB else None

    @property
    def most_pods(self) -> int:
        """That run at one time."""
        return self.job.pods if self.job else self.max_replicas

    @property
    def extent(self) -> str:
        """`0 to 2` replicas; of a job `8 pods`."""
        return count(self.job.pods, "pod") if self.job else f"{self.min_replicas:,} to {self.max_replicas:,}"

    @property
    def key(self) -> str:
        """`tenant/service`, unique in the region."""
        return f"{self.tenant}/{self.name}"


def compile_tenants(region: Region) -> tuple[TenantPlan, ...]:
    """Every tenant, in the order of its files."""
    return tuple(_tenant(tenant, region) for tenant in region.tenants)


def _tenant(tenant: Tenant, region: Region) -> TenantPlan:
    return TenantPlan(
        name=tenant.tenant,
        namespace=tenant_namespace(tenant.tenant),
        pods=tenant.quota.pods,
        gpus=tenant.quota.gpus,
        borrow_gpus=tenant.quota.borrow_gpus,
        cpu=tenant.quota.cpu,
        memory_gib=tenant.quota.memory_gib,
        domain=f"{tenant.tenant}.{region.site.domain}",
        steered=steered_domains(region, tenant),
        people=tenant.people,
        keys=tenant.keys,
        rate_limit_rps=tenant.rate_limit_rps,
        budget=tenant.budget,
        bucket=tenant_bucket(region.region, tenant.tenant),
        bucket_key=tenant.bucket.key,
        bucket_gb=tenant.bucket.expected_gb,
    )


def compile_services(region: Region, landings: Landings, artifacts: ArtifactIndex) -> tuple[ServicePlan, ...]:
    """Every service that runs in this region, each with its image by digest."""
    return tuple(_service(region, landing, artifacts) for landing in landings.services)


def _service(region: Region, landing: Landing, artifacts: ArtifactIndex) -> ServicePlan:
    placed = landing.placed
    tenant, service = placed.tenant, placed.service
    work = workload_of(landing)
    scaling = service.scaling
    here = scaling.regions.get(region.region)
    steered = steered_domain_of(region, placed)
    least = here.min if here and here.min is not None else scaling.min
    most = here.max if here and here.max is not None else scaling.max
    return ServicePlan(
        name=service.name,
        tenant=tenant.tenant,
        namespace=tenant_namespace(tenant.tenant),
        kind=service.type,
        image=artifacts.container_images[work.image].reference,
        args=(*work.args, *service.args),
        host=service_host(service.name, tenant.tenant, region.site.domain),
        steered_host=f"{service.name}.{steered}" if steered else None,
        ports=work.ports,
        env=tuple(sorted(service.env.items())),
        secrets=tuple(sorted(service.secrets.items())),
        health=work.health,
        cpu=service.cpu,
        memory_mib=service.memory_mib,
        gpus=work.gpus,
        gpu=work.gpu,
        model=work.model,
        expected_duty=service.expected_duty,
        nvlink_domain=bool(service.gpu and service.gpu.nvlink_domain),
        sovereignty=placed.sovereignty,
        min_replicas=least,
        max_replicas=most,
        idle_after_s=scaling.idle_after_s,
        scaling=_scaling(service, scaling, work),
        rollout=service.rollout,
        volumes=service.volumes,
        job=service.job if service.type is Kind.JOB else None,
        bucket_key=tenant.bucket.key if service.bucket else 0,
        has_keys=bool(tenant.keys),
        rate_limit_rps=tenant.rate_limit_rps,
        is_repeatable=service.is_repeatable,
    )


def _scaling(service: Service, scaling: Scaling, work: Workload) -> ScalingPlan:
    is_untargeted = service.type is Kind.WEB and not scaling.targets
    return ScalingPlan(
        concurrency=work.concurrency or DEFAULT_CONCURRENCY if is_untargeted else scaling.concurrency,
        requests_per_second=scaling.requests_per_second,
        p95_ms=scaling.p95_ms,
        cpu_percent=scaling.cpu_percent,
        memory_percent=scaling.memory_percent,
        queue=scaling.queue,
        schedule=scaling.schedule,
        window_s=scaling.window_s,
        step=scaling.step,
    )
