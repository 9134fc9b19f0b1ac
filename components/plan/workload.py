"""What a service starts: its own image and GPUs, or those of the model that it names."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from components.plan.fleet import GpuPlan, Placement, gpu_plan
from components.plan.landing import Landing, has_own_ports
from components.plan.models import ModelPlan, Served
from components.spec.service import Health, ServicePort

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


def workload_of(landing: Landing) -> Workload:
    """What is started for the service in this region."""
    service, found = landing.placed.service, landing.found
    if service.model is None:
        plan = gpu_plan(found) if isinstance(found, Placement) else None
        return Workload(
            image=service.image or "", ports=service.ports, health=service.health, gpus=service.gpus, gpu=plan
        )
    if not isinstance(found, Served):
        return Workload(image="", ports=service.ports, health=service.health, gpus=0)
    model, wait = found.plan, min(3600, ceil(found.plan.load_s * LOAD_MARGIN))
    return Workload(
        image=model.image,
        args=model.args,
        ports=service.ports if has_own_ports(service) else (ServicePort(port=model.port),),
        health=service.health or Health(path=model.health, grace_s=wait),
        gpus=model.gpus,
        gpu=gpu_plan(found.placement, found.shape.arithmetic) if found.placement and found.shape else None,
        model=model,
        concurrency=model.concurrency,
    )
