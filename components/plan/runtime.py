"""The serverless runtime: gateway and services."""

from __future__ import annotations

from components.plan.addressing import address
from components.plan.model import RuntimePlan, ServicePlan
from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region
from components.spec.runtime import Service


def compile_runtime(region: Region, artifacts: ArtifactIndex) -> RuntimePlan:
    """Gateway address, and each service with its image by digest."""
    gateway = region.runtime.gateway
    return RuntimePlan(
        gateway=gateway.name,
        gateway_vip=address(region.pools.service_vips, gateway.vip_id),
        services=tuple(_service(service, artifacts) for service in region.runtime.services),
    )


def _service(service: Service, artifacts: ArtifactIndex) -> ServicePlan:
    return ServicePlan(
        name=service.name,
        namespace=service.namespace,
        image=artifacts.container_images[service.image].reference,
        host=service.host,
        port=service.port,
        gpus=service.gpus,
        min_replicas=service.scaling.min,
        max_replicas=service.scaling.max,
        target_concurrency=service.scaling.target_concurrency,
        idle_after_s=service.scaling.idle_after_s,
    )
