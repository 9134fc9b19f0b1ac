"""Services that a benchmark makes beside those of a region, from the bodies that the plan makes.

They stand in a namespace of their own and are reached by the Gateway's own listener, so nothing of the region's
description changes. All of them go at the end, whatever happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from components.clients.kubernetes_change import KubernetesChange
from components.kubernetes.labels import selector_labels
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.serving import GATEWAY_NAMESPACE, INTERCEPTOR_SERVICE, KEDA_NAMESPACE, WORKLOAD_ACCOUNT
from components.plan.tenants import ScalingPlan, ServicePlan
from components.runtime.objects_pods import claim_template_spec, pod_template
from components.runtime.objects_routes import interceptor_route_spec, route_spec, service_spec
from components.runtime.objects_scaling import scaled_object_spec
from stacks.project import ROOT

NAMESPACE = "bench"
GRANT = "bench"
TAKEN_S = 600
"""In which KEDA and the gateway have taken hundreds of services, or let them go."""
SETTLE_S = 3
"""From the gateway's word until its proxies have what it says."""
Object = dict[str, Any]
Placed = tuple[str, Object]
"""The collection's path, and an object of it."""


def cluster(plan: RegionPlan) -> KubernetesChange:
    """The region's cluster; use as an async context manager."""
    return KubernetesChange.from_file(ROOT / kubeconfig_path(plan.region), timeout_s=60)


def of_region(plan: RegionPlan, name: str) -> ServicePlan:
    """One service of the region, by its name."""
    service = next((s for s in plan.runtime.services if s.name == name), None)
    if service is None:
        raise SystemExit(f"{plan.region} has no service {name}: it has {[s.name for s in plan.runtime.services]}")
    return service


def like(service: ServicePlan, name: str, **changes: Any) -> ServicePlan:
    """A service of the same image beside the region's, without GPUs unless `changes` say otherwise."""
    own = {
        "name": name,
        "tenant": NAMESPACE,
        "namespace": NAMESPACE,
        "host": f"{name}.{NAMESPACE}.internal",
        "gpus": 0,
        "gpu": None,
        "scaling": ScalingPlan(concurrency=10),
        "idle_after_s": 300,
    }
    return replace(service, **{**own, **changes})


@asynccontextmanager
async def beside(api: KubernetesChange, plan: RegionPlan, objects: Sequence[Placed]) -> AsyncGenerator[None]:
    """These objects are there while the body runs; ends where another benchmark, or a rest of one, is there."""
    if await api.find(f"/api/v1/namespaces/{NAMESPACE}"):
        raise SystemExit(
            f"the namespace {NAMESPACE} is there: another benchmark runs, or one was killed; then "
            f"`kubectl delete namespace {NAMESPACE}` and the routes {NAMESPACE}-* in {GATEWAY_NAMESPACE}"
        )
    await api.put("/api/v1/namespaces", _object("v1", "Namespace", NAMESPACE))
    try:
        for path, thing in [*common(), *objects]:
            await api.put(path, thing)
        yield
    finally:
        for path, thing in reversed([*common(), *objects]):
            if f"namespaces/{NAMESPACE}/" not in path:  # the others go with their namespace
                await api.remove(f"{path}/{thing['metadata']['name']}")
        await api.remove(f"/api/v1/namespaces/{NAMESPACE}")
        await _until_gone(api)


async def _until_gone(api: KubernetesChange) -> None:
    for _ in range(TAKEN_S):
        if await api.find(f"/api/v1/namespaces/{NAMESPACE}") is None:
            return
        await asyncio.sleep(1)
    raise SystemExit(f"the namespace {NAMESPACE} does not go: kubectl describe namespace {NAMESPACE}")


def common() -> list[Placed]:
    """What services of this namespace need once."""
    account = _object("v1", "ServiceAccount", WORKLOAD_ACCOUNT, NAMESPACE)
    grant = _object("gateway.networking.k8s.io/v1beta1", "ReferenceGrant", GRANT, KEDA_NAMESPACE)
    # Routes stand in the gateway's namespace: the Gateway's own listener takes no others.
    grant["spec"] = {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": GATEWAY_NAMESPACE}],
        "to": [{"group": "", "kind": "Service", "name": INTERCEPTOR_SERVICE}],
    }
    return [
        (f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account),
        (f"/apis/gateway.networking.k8s.io/v1beta1/namespaces/{KEDA_NAMESPACE}/referencegrants", grant),
    ]


async def put_to_sleep(api: KubernetesChange, service: ServicePlan) -> None:
    """No pod from now on: what falling asleep does, without its wait."""
    await api.annotate(f"/apis/apps/v1/namespaces/{service.namespace}/deployments/{service.name}", {}, replicas=0)


async def until_taken(api: KubernetesChange, plan: RegionPlan, services: Sequence[ServicePlan]) -> None:
    """KEDA scales all of these, and the gateway has their names: 404 is its answer to one that it does not have."""
    heard = routed = set[str]()
    for _ in range(TAKEN_S):
        scaled = await api.items(f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects")
        routes = await api.items(f"/apis/gateway.networking.k8s.io/v1/namespaces/{GATEWAY_NAMESPACE}/httproutes")
        heard = {each["metadata"]["name"] for each in scaled if _is_true(each.get("status", {}), "Ready")}
        routed = {
            each["metadata"]["name"]
            for each in routes
            for parent in each.get("status", {}).get("parents", ())
            if _is_true(parent, "Accepted")
        }
        if all(s.name in heard and f"{NAMESPACE}-{s.name}" in routed for s in services):
            await asyncio.sleep(SETTLE_S)
            return
        await asyncio.sleep(1)
    raise SystemExit(
        f"not all of {len(services)} services are taken in {TAKEN_S} s: by KEDA {len(heard)}, by the gateway {len(routed)}"
    )


def _is_true(status: Mapping[str, Any], condition: str) -> bool:
    return any(c["type"] == condition and c["status"] == "True" for c in status.get("conditions", ()))


def objects(plan: RegionPlan, service: ServicePlan) -> list[Placed]:
    """All that one service is made of, asleep unless it has a least count."""
    name, inside = service.name, f"namespaces/{NAMESPACE}"
    selector = selector_labels(name)
    deployment = _object("apps/v1", "Deployment", name, NAMESPACE)
    deployment["spec"] = {
        "replicas": service.min_replicas,
        "selector": {"matchLabels": selector},
        "template": camel(pod_template(service, selector, claim=name if service.gpus else None)),
    }
    within = _object("v1", "Service", name, NAMESPACE)
    within["spec"] = camel(service_spec(service, selector))
    interceptor = _object("http.keda.sh/v1beta1", "InterceptorRoute", name, NAMESPACE)
    interceptor["spec"] = interceptor_route_spec(service)
    scaled = _object("keda.sh/v1alpha1", "ScaledObject", name, NAMESPACE)
    scaled["spec"] = scaled_object_spec(service)
    route = _object("gateway.networking.k8s.io/v1", "HTTPRoute", f"{NAMESPACE}-{name}", GATEWAY_NAMESPACE)
    parent = {"name": plan.runtime.gateway, "namespace": GATEWAY_NAMESPACE}
    route["spec"] = {**route_spec(service, plan.runtime.gateway, GATEWAY_NAMESPACE), "parentRefs": [parent]}
    found = [
        (f"/apis/apps/v1/{inside}/deployments", deployment),
        (f"/api/v1/{inside}/services", within),
        (f"/apis/http.keda.sh/v1beta1/{inside}/interceptorroutes", interceptor),
        (f"/apis/keda.sh/v1alpha1/{inside}/scaledobjects", scaled),
        (f"/apis/gateway.networking.k8s.io/v1/namespaces/{GATEWAY_NAMESPACE}/httproutes", route),
    ]
    if service.gpus:
        template = _object("resource.k8s.io/v1", "ResourceClaimTemplate", name, NAMESPACE)
        template["spec"] = camel(claim_template_spec(service, plan.cluster.device_class))
        found.insert(0, (f"/apis/resource.k8s.io/v1/{inside}/resourceclaimtemplates", template))
    return found


def camel(thing: Any) -> Any:
    """A body as the API has it, of one as Pulumi's types have it."""
    if isinstance(thing, Mapping):
        return {_camel(key): camel(value) for key, value in cast("Mapping[str, Any]", thing).items()}
    if isinstance(thing, list | tuple):
        return [camel(value) for value in cast("Sequence[Any]", thing)]
    return thing


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join("IP" if word == "ip" else word.title() for word in rest)


def _object(version: str, kind: str, name: str, namespace: str | None = None) -> Object:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
