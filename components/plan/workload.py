"""What a service starts: its own image and GPUs, or those of the model that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from components.plan.fleet import Fleet, GpuPlan, Placement, Refusal, fleet_of, gpu_plan, need_of, resolve
from components.plan.fleet.need import Need, fits
from components.plan.models import ModelPlan, NoFit, Served, serve
from components.spec.region import Region
from components.spec.service import Health, Service, ServicePort
from components.spec.services import services_here, services_of

LOAD_MARGIN = 2
"""A health check waits so many times the time that loading the weights is planned to take."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Of one service in one region. What fits nowhere has no `gpu`: a rule has refused it before."""

    image: str
    """Name in the artifact index."""
    args: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...]
    health: Health | None = None
    gpus: int
    gpu: GpuPlan | None = None
    model: ModelPlan | None = None
    concurrency: int | None = None
    """That the model is built for."""


def workload_of(region: Region, service: Service, fleet: Fleet) -> Workload:
    """What is started for the service in this region."""
    if service.model is None:
        found = place(region, service, fleet)
        plan = gpu_plan(found) if isinstance(found, Placement) else None
        return Workload(
            image=service.image or "", ports=service.ports, health=service.health, gpus=service.gpus, gpu=plan
        )
    served = serve_of(region, service, fleet)
    if served is None or isinstance(served, NoFit):
        return Workload(image="", ports=service.ports, health=service.health, gpus=0)
    model, wait = served.plan, min(3600, ceil(served.plan.load_s * LOAD_MARGIN))
    return Workload(
        image=model.image,
        args=model.args,
        ports=service.ports if _has_own_ports(service) else (ServicePort(port=model.port),),
        health=service.health or Health(path=model.health, grace_s=wait),
        gpus=model.gpus,
        gpu=gpu_plan(served.placement, served.shape.arithmetic) if served.placement and served.shape else None,
        model=model,
        concurrency=model.concurrency,
    )


def images_of_services(region: Region) -> Iterator[str]:
    """Names of the images that services start, those of their models included."""
    for placed in services_of(region):
        model = region.catalogue.model(placed.service.model) if placed.service.model else None
        if name := placed.service.image or (model.engine.image if model else None):
            yield name


def checkpoints_of_services(region: Region) -> Iterator[str]:
    """Checkpoints of the models that are served here, each in the precision that fits."""
    fleet = fleet_of(region)
    for placed in services_here(region):
        if isinstance(served := serve_of(region, placed.service, fleet), Served):
            yield served.plan.checkpoint


def place(region: Region, service: Service, fleet: Fleet) -> Placement | Refusal | None:
    """Where the GPUs of a service's own image are; None without any."""
    if service.gpu is None:
        return None
    here = service.scaling.regions.get(region.region)
    most = here.max if here and here.max is not None else service.scaling.max
    return resolve(fleet, need_of(service.gpu, most))


def serve_of(region: Region, service: Service, fleet: Fleet) -> Served | NoFit | None:
    """How a service's model is served; None where the catalogue has none of its name, which a rule refuses."""
    model = region.catalogue.model(service.model) if service.model else None
    if model is None:
        return None
    return serve(
        model,
        _within(fleet, service),
        region.catalogue,
        context_tokens=service.context_tokens,
        concurrency=service.scaling.concurrency,
        port=service.port if _has_own_ports(service) else None,
    )


def _has_own_ports(service: Service) -> bool:
    return "ports" in service.model_fields_set


def _within(fleet: Fleet, service: Service) -> Fleet:
    """Only the pools that have what the service asks for itself, beside its model."""
    if service.gpu is None:
        return fleet
    asked = need_of(service.gpu)
    wanted = Need(memory_gib=asked.memory_gib, architectures=asked.architectures)
    return Fleet(tuple(pool for pool in fleet.pools if fits(pool, wanted)))
