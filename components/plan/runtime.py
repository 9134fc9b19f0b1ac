"""The serverless runtime: gateway and services."""

from __future__ import annotations

from components.plan.addressing import address
from components.plan.cost import prices_of
from components.plan.fleet import fleet_of
from components.plan.model import RuntimePlan
from components.plan.tenants import compile_services
from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region


def compile_runtime(region: Region, artifacts: ArtifactIndex) -> RuntimePlan:
    """Gateway address, and each service with its image by digest."""
    gateway = region.runtime.gateway
    return RuntimePlan(
        gateway=gateway.name,
        gateway_vip=address(region.pools.service_vips, gateway.vip_id),
        services=compile_services(region, artifacts),
        fleet=fleet_of(region),
        prices=prices_of(region),
    )
