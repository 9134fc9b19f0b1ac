"""Whether the serverless runtime works. Read-only, unless the caller asks to wake services.

Owns what is read; how it is judged stands in runtime_objects.py, wake.py and drivers.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from components.checks.buckets import check_buckets
from components.checks.drivers import check_drivers
from components.checks.edge_health import check_health
from components.checks.registry import check_registry
from components.checks.result import CheckResult
from components.checks.runtime_objects import (
    ADD_ONS,
    check_add_ons,
    check_devices,
    check_gateway,
    check_service,
    check_worker,
)
from components.checks.tenants import check_tenant_access
from components.checks.wake import check_wake
from components.checks.weights_reader import check_weights_reader
from components.clients.kubernetes import Kubernetes
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.rollout import object_names, route_name
from components.plan.serving import GATEWAY_NAMESPACE
from components.plan.tenants import ServicePlan
from components.spec.service import Kind


async def check_runtime(plan: RegionPlan, project: Path, *, wake: bool = False) -> list[CheckResult]:
    """All checks of the runtime layer. `wake` calls each service and waits until it sleeps again.

    Raises KubeconfigError, KubernetesError and SecretError if there is nothing to ask.
    """
    async with Kubernetes.from_file(project / kubeconfig_path(plan.region)) as api:
        drivers, objects, tenants, buckets, reader, *services = await asyncio.gather(
            check_drivers(plan, project),
            _check_objects(plan, project, api),
            check_tenant_access(plan, project, api),
            check_buckets(plan, project, api),
            check_weights_reader(plan, project),
            *(_check_service(plan, service, api, wake=wake) for service in plan.runtime.services),
        )
        of_services = (result for of_service in services for result in of_service)
        return [*drivers, *objects, *tenants, *buckets, *reader, *of_services]


async def _check_objects(plan: RegionPlan, project: Path, api: Kubernetes) -> list[CheckResult]:
    deployments = await asyncio.gather(*(api.items(f"/apis/apps/v1/namespaces/{n}/deployments") for n in ADD_ONS))
    slices = await api.items("/apis/resource.k8s.io/v1/resourceslices")
    gateways = f"/apis/gateway.networking.k8s.io/v1/namespaces/{GATEWAY_NAMESPACE}/gateways"
    gateway, health, registry = await asyncio.gather(
        api.find(f"{gateways}/{plan.runtime.gateway}"),
        check_health(plan),
        check_registry(plan, project),
    )
    return [
        *(check_add_ons(namespace, found) for namespace, found in zip(ADD_ONS, deployments, strict=True)),
        *check_devices(plan, slices),
        check_gateway(plan, gateway),
        health,
        registry,
    ]


async def _check_service(plan: RegionPlan, service: ServicePlan, api: Kubernetes, *, wake: bool) -> list[CheckResult]:
    place = f"namespaces/{service.namespace}"
    if service.kind is Kind.JOB:  # its queue says when it runs, and `region service explain` why it waits
        return []
    names = object_names(service)
    scaled, interceptors, route = await asyncio.gather(
        asyncio.gather(*(api.find(f"/apis/keda.sh/v1alpha1/{place}/scaledobjects/{name}") for name in names)),
        asyncio.gather(*(api.find(f"/apis/http.keda.sh/v1beta1/{place}/interceptorroutes/{name}") for name in names)),
        api.find(f"/apis/gateway.networking.k8s.io/v1/{place}/httproutes/{route_name(service)}"),
    )
    if service.kind is Kind.WORKER:
        return [check_worker(service, scaled[0])]
    results = [
        check_service(service, scaling, interceptor, route, name=name)
        for name, scaling, interceptor in zip(names, scaled, interceptors, strict=True)
    ]
    if route is None:
        return results
    return [*results, *await check_wake(plan, service, api, wake=wake)]
