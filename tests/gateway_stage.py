"""A region's gateway on one machine: Envoy Gateway and Envoy as the lab's images have them, without a cluster.

Envoy Gateway reads its objects from a file here, where it knows neither ListenerSets nor labels of namespaces: the
tenant's listeners stand in the Gateway itself, as it would merge them, and are open to all routes. Behind a route is an
answer of Envoy's own that tells which route it was. Services are not read from files; `backend_of` is their stand-in.
"""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.plan.model import RuntimePlan
from components.plan.serving import GATEWAY_CLASS, GATEWAY_NAMESPACE, H2C
from components.plan.tenancy.gateway import (
    ENVOY_API,
    GATEWAY_API,
    certificate_names,
    domains,
    listener_set_spec,
    tls_secret_name,
)
from components.plan.tenants import ServicePlan, TenantPlan
from components.runtime.gateway import Gateway, GatewayArgs
from components.runtime.objects_routes import route_spec
from lab.toolchain.build import ensure
from tests.authority import secret_data, write_authority
from tests.pulumi_mocks import declare

Object = dict[str, Any]
VERSION = "1.39.1"
"""By which Envoy Gateway looks for Envoy; what is there is the one of the images."""
ENVOY_GROUP = "gateway.envoyproxy.io"
CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"


def objects(tenant: TenantPlan, services: list[ServicePlan], runtime: RuntimePlan, folder: Path) -> list[Object]:
    """All that the gateway is made of, with certificates of an authority that is written to the folder."""
    args = GatewayArgs(
        gateway="front",
        vip="192.0.2.1",
        health_host=runtime.health_host,
        health_path=runtime.health_path,
        region="paris",
    )
    declared = declare(lambda: Gateway("front", args))
    own = [declared[f"front-{name}"].inputs for name in ("gateway", "health-answer", "health-route")]
    gateway, answer, route = ({k: each[k] for k in ("apiVersion", "kind", "metadata", "spec")} for each in own)
    merged = [*gateway["spec"]["listeners"], *_listeners(tenant)]
    gateway["spec"] = {"gatewayClassName": GATEWAY_CLASS, "listeners": merged}
    return [
        *_classes(),
        gateway,
        answer,
        route,
        *_secrets(tenant, folder),
        *(each for service in services for each in _service(tenant, service)),
    ]


def _listeners(tenant: TenantPlan) -> list[Object]:
    listeners: list[Object] = listener_set_spec(tenant, "front")["listeners"]
    anybody = {"namespaces": {"from": "All"}}
    return [{**each, "name": f"{tenant.name}-{each['name']}", "allowedRoutes": anybody} for each in listeners]


def _classes() -> list[Object]:
    host = {"provider": {"type": "Host", "host": {"envoyVersion": VERSION}}}
    named = {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": "host", "namespace": GATEWAY_NAMESPACE}
    return [
        {
            "apiVersion": GATEWAY_API,
            "kind": "GatewayClass",
            "metadata": {"name": GATEWAY_CLASS},
            "spec": {"controllerName": CONTROLLER, "parametersRef": named},
        },
        _envoy("EnvoyProxy", "host", GATEWAY_NAMESPACE, host),
    ]


def _envoy(kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> Object:
    return {"apiVersion": ENVOY_API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _secrets(tenant: TenantPlan, folder: Path) -> Generator[Object]:
    write_authority(folder)
    for ending, domain in domains(tenant).items():
        yield {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": tls_secret_name(tenant.name, ending), "namespace": GATEWAY_NAMESPACE},
            "type": "kubernetes.io/tls",
            "data": secret_data(folder, certificate_names(domain)),
        }


def parents(tenant: TenantPlan, route: Mapping[str, Any]) -> list[Object]:
    """What a route attaches to here: the tenant's listeners in the Gateway itself."""
    (parent,) = route["parentRefs"]
    return [{**parent, "kind": "Gateway", "name": "front", "sectionName": each["name"]} for each in _listeners(tenant)]


def backend_of(port: Mapping[str, Any], name: str, namespace: str, address: str, number: int) -> Object:
    """The Backend that Envoy Gateway treats as it does this port of a Service, with one endpoint."""
    protocols = [f"{ENVOY_GROUP}/h2c"] if port.get("appProtocol") == H2C else []
    spec = {"endpoints": [{"ip": {"address": address, "port": number}}], "appProtocols": protocols}
    return _envoy("Backend", name, namespace, spec)


def _service(tenant: TenantPlan, service: ServicePlan) -> Generator[Object]:
    says = {"statusCode": 200, "body": {"type": "Inline", "inline": service.key}}
    yield _envoy("HTTPRouteFilter", service.name, service.namespace, {"directResponse": says})
    spec = route_spec(service, "front", GATEWAY_NAMESPACE)
    answer = {"group": ENVOY_GROUP, "kind": "HTTPRouteFilter", "name": service.name}
    yield {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": {"name": service.name, "namespace": service.namespace},
        "spec": {
            "parentRefs": parents(tenant, spec),
            "hostnames": spec["hostnames"],
            "rules": [{"filters": [{"type": "ExtensionRef", "extensionRef": answer}]}],
        },
    }


@contextmanager
def running(namespace: str | None, folder: Path, wanted: list[Object]) -> Generator[Path]:
    """Envoy Gateway, which starts Envoy, in a network namespace, or in the one that this is; its log."""
    program, log = ensure("envoy-gateway")["envoy-gateway"], folder / "envoy-gateway.log"
    homes = {key: str(folder / key) for key in ("configHome", "dataHome", "stateHome", "runtimeDir")}
    envoy = Path(homes["dataHome"]) / "envoy-versions" / VERSION / "bin" / "envoy"
    envoy.parent.mkdir(parents=True)
    wheel = importlib.util.find_spec("envoy")
    assert wheel and wheel.origin, "envoy is not installed: make install"
    envoy.symlink_to(Path(wheel.origin).parent / "_bin" / "envoy")
    (folder / "objects").mkdir()
    (folder / "objects/all.yaml").write_text(yaml.safe_dump_all(wanted))
    settings = {
        "apiVersion": ENVOY_API,
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": CONTROLLER},
        "extensionApis": {"enableBackend": True},
        "provider": {
            "type": "Custom",
            "custom": {
                "resource": {"type": "File", "file": {"paths": [str(folder / "objects")]}},
                "infrastructure": {"type": "Host", "host": homes},
            },
        },
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    certgen = [program, "certgen", "--local", "--config-home", homes["configHome"]]
    subprocess.run(certgen, check=True, capture_output=True, timeout=60)
    within = ["ip", "netns", "exec", namespace] if namespace else []
    command = [*within, str(program), "server", "-c", str(folder / "settings.yaml")]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
    try:
        yield log
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
