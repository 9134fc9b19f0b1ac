"""What Pulumi declares of a tenant and its services in a region, as objects that a cluster takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.kubernetes.tenant_namespace import TenantNamespace, TenantNamespaceArgs
from components.plan import RegionPlan
from components.plan.tenancy.gateway import certificate_names, domains, tls_secret_name
from components.plan.tenants import TenantPlan
from components.runtime.gateway import Gateway, GatewayArgs
from components.runtime.service import Service, ServiceArgs
from components.runtime.tenant_gateway import TenantGateway, TenantGatewayArgs
from tests.authority import secret_data
from tests.pulumi_mocks import declare

Object = dict[str, Any]


def objects_of(plan: RegionPlan, tenant: TenantPlan, authority: Path) -> list[Object]:
    """The region's gateway, the tenant's place, its listeners and its services, in an order in which they are taken.

    Certificates are by the authority `ca` in a folder: without an engine Pulumi's resource issues none.
    """
    declared = declare(lambda: _declare(plan, tenant))
    objects = [each.inputs for each in declared.values() if {"apiVersion", "kind"} <= each.inputs.keys()]
    names = {tls_secret_name(tenant.name, ending): certificate_names(at) for ending, at in domains(tenant).items()}
    for each in objects:
        if each["kind"] == "Secret":
            each["data"] = secret_data(authority, names[each["metadata"]["name"]])
    return sorted(objects, key=lambda each: each["kind"] not in ("Namespace", "ServiceAccount"))


def _declare(plan: RegionPlan, tenant: TenantPlan) -> None:
    runtime = plan.runtime
    device_class = plan.cluster.device_class
    TenantNamespace(
        tenant.name, TenantNamespaceArgs(tenant=tenant, device_class=device_class, cluster=plan.cluster.name)
    )
    Gateway(
        runtime.gateway,
        GatewayArgs(
            gateway=runtime.gateway,
            vip=runtime.gateway_vip,
            health_host=runtime.health_host,
            health_path=runtime.health_path,
            region=plan.region,
        ),
    )
    TenantGateway(
        f"{tenant.name}-gateway",
        TenantGatewayArgs(
            tenant=tenant,
            gateway=runtime.gateway,
            keys={},
            ca_certificate=plan.endpoints.ca_certificate,
            ca_key=plan.endpoints.ca_key,
            region=plan.region,
        ),
    )
    for service in runtime.services:
        if service.tenant == tenant.name:
            Service(
                service.name,
                ServiceArgs(service=service, device_class=device_class, gateway=tenant.name, region=plan.region),
            )
