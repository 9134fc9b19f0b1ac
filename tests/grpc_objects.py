"""What gRPC passes on its way: the objects of a service that speaks it, the HTTP add-on, the gateway.

Objects only, from the plan and out of the roles; grpc_stage.py runs what they describe.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import yaml

from components.plan.serving import GATEWAY_NAMESPACE, INTERCEPTOR_SERVICE, KEDA_NAMESPACE
from components.plan.tenancy.gateway import ENVOY_API, traffic_spec
from components.plan.tenants import ServicePlan, TenantPlan
from components.runtime.service import Service, ServiceArgs
from components.spec.service import Health, Protocol, ServicePort
from lab import shell
from lab.toolchain.catalogue import catalogue
from lab.toolchain.golang import go
from tests.a_service import chat
from tests.gateway_stage import ENVOY_GROUP, backend_of, objects, parents
from tests.pulumi_mocks import declare
from tests.regions import lab, plan_of
from tests.role_render import render

Object = dict[str, Any]
TENANT = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=0, domain="demo.lab.internal")
PORT = 8000
"""Of the pods; not the interceptor's, which listens at all addresses."""
PROXY_PORT = 8080
"""Of the interceptor, as upstream's Deployment has it."""


def services() -> list[ServicePlan]:
    """Two that speak HTTP/2, and one that does not."""
    port, health = ServicePort(port=PORT, protocol=Protocol.HTTP2), Health(grpc=True)
    return [
        chat(name="echo", host="echo.demo.lab.internal", ports=(port,), health=health),
        chat(name="pair", host="pair.demo.lab.internal", ports=(port,), health=health),
        chat(name="web", host="web.demo.lab.internal", ports=(ServicePort(port=PORT),)),
    ]


def declared(service: ServicePlan) -> dict[str, Object]:
    """The objects of a service, as Pulumi sends them, by their role."""
    args = ServiceArgs(service=service, device_class="gpu", gateway="front", region="lab")
    made = declare(lambda: Service("s", args))
    return {name.removeprefix("s-"): each.inputs for name, each in made.items() if not each.is_component}


def add_on(folder: Path, kubectl: Path) -> list[Object]:
    """The manifest of the HTTP add-on, as the role leaves it."""
    upstream = go().module_folder(catalogue().modules["keda-http-add-on"]) / "config/default"
    (folder / "upstream.yaml").write_text(shell.run(kubectl, "kustomize", upstream))
    written = render(plan_of(lab()), "lab-r01-t01", "keda_http_add_on/kustomization.yaml.j2")
    (folder / "kustomization.yaml").write_text(written)
    return list(yaml.safe_load_all(shell.run(kubectl, "kustomize", folder)))


def at_the_gateway(folder: Path, manifest: list[Object], of_services: list[dict[str, Object]]) -> list[Object]:
    """What Envoy Gateway reads: the tenant's listeners and policy, routes, and the ports that they name."""
    policy = traffic_spec(TENANT)
    (target,) = policy["targetRefs"]
    policy["targetRefs"] = [{**target, "kind": "Gateway", "name": "front"}]
    traffic = {"name": "traffic", "namespace": GATEWAY_NAMESPACE}
    (folder / "gateway").mkdir()
    return [
        *objects(TENANT, [], plan_of(lab()).runtime, folder / "gateway"),
        {"apiVersion": ENVOY_API, "kind": "BackendTrafficPolicy", "metadata": traffic, "spec": policy},
        *(each for made in of_services for each in _routed(made["route"], manifest)),
    ]


def _routed(route: Object, manifest: list[Object]) -> Generator[Object]:
    """The route, and in place of the interceptor's port what a file can say of it."""
    spec = {**route["spec"], "parentRefs": parents(TENANT, route["spec"])}
    ((backend,),) = (rule["backendRefs"] for rule in spec["rules"])
    assert (backend["namespace"], backend["name"]) == (KEDA_NAMESPACE, INTERCEPTOR_SERVICE)
    proxy = next(m for m in manifest if m["kind"] == "Service" and m["metadata"]["name"] == INTERCEPTOR_SERVICE)
    (port,) = (each for each in proxy["spec"]["ports"] if each["port"] == backend["port"])
    assert port["targetPort"] == "proxy", "as the Deployment calls the port without TLS"
    name = route["metadata"]["name"]
    yield backend_of(port, name, TENANT.namespace, "127.0.0.1", PROXY_PORT)
    reference = {"group": ENVOY_GROUP, "kind": "Backend", "name": name}
    yield {**route, "spec": {**spec, "rules": [{**rule, "backendRefs": [reference]} for rule in spec["rules"]]}}
