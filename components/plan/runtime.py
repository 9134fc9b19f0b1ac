"""The serverless runtime: gateway and services."""

from __future__ import annotations

from dataclasses import replace

from components.plan.addressing import address
from components.plan.cost import prices_of
from components.plan.landing import Landings
from components.plan.model import RuntimePlan
from components.plan.models.weights import with_weights
from components.plan.tenants import compile_services
from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region
from components.spec.steering import Health


def compile_runtime(region: Region, landings: Landings, artifacts: ArtifactIndex) -> RuntimePlan:
    """Gateway address, and each service with its image by digest."""
    gateway = region.runtime.gateway
    return RuntimePlan(
        gateway=gateway.name,
        gateway_vip=address(region.pools.service_vips, gateway.vip_id),
        health_host=region.steering.domain if region.steering else region.site.domain,
        health_path=region.steering.health_path if region.steering else Health().path,
        services=tuple(
            replace(service, model=with_weights(service.model, artifacts)) if service.model else service
            for service in compile_services(region, landings, artifacts)
        ),
        fleet=landings.fleet,
        prices=prices_of(region),
        weights_cache_gib=region.runtime.weights_cache_gib,
    )
