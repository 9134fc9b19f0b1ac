"""The way of requests to a service: its ports, the interceptor that holds requests, the route from the Gateway.

Pure functions from the plan: what stands in the cluster can be read, and tested, without Pulumi.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.plan.rollout import Track
from components.plan.serving import (
    H2C,
    INTERCEPTOR_HTTP2_PORT,
    INTERCEPTOR_PORT,
    INTERCEPTOR_SERVICE,
    KEDA_NAMESPACE,
)
from components.plan.tenancy.gateway import parent_reference, repeats_filter
from components.plan.tenants import ServicePlan
from components.runtime.objects_container import port_name
from components.spec.service import Kind, Protocol

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import ServicePortArgsDict, ServiceSpecArgsDict

WAKE_TIMEOUT_S = 120
"""How long a request waits for a sleeping service before the interceptor answers 504, at least."""
WAKE_ONLY = 1_000_000
"""Requests in flight a replica where they are no target: enough to wake by, never enough to add a replica."""
TRACK_HEADER = "x-gpuregion-track"
"""Request header by which the gateway tells the interceptor which of two versions answers. What a client sends in
it is overwritten."""


def service_spec(plan: ServicePlan, selector: Mapping[str, str]) -> ServiceSpecArgsDict:
    """All ports of the pods. Only the first of a web service is behind the gateway; the others, tcp ones among
    them, are reached from inside the cluster alone."""
    return {"selector": dict(selector), "ports": [_port(plan, n) for n in range(len(plan.ports))]}


def _port(plan: ServicePlan, n: int) -> ServicePortArgsDict:
    port = plan.ports[n]
    name = port_name(plan, port)
    told: ServicePortArgsDict = {"name": name, "port": port.port, "target_port": name, "protocol": "TCP"}
    if port.protocol is Protocol.HTTP2:
        told["app_protocol"] = H2C
    return told


def interceptor_route_spec(
    plan: ServicePlan, *, target: str | None = None, track: Track | None = None
) -> dict[str, Any]:
    """Requests for its hosts go to the service, and wait for it while it sleeps. `track`: only those of one version.

    Requests in flight are always counted: they are what keeps a service awake, whatever it is scaled by.
    """
    rule: dict[str, Any] = {"hosts": list(plan.hosts)}
    if track:
        rule["headers"] = [{"name": TRACK_HEADER, "value": track.value}]
    metric: dict[str, Any] = {"concurrency": {"targetValue": plan.scaling.concurrency or WAKE_ONLY}}
    if plan.scaling.requests_per_second:
        window = f"{plan.scaling.window_s}s"
        metric["requestRate"] = {
            "targetValue": plan.scaling.requests_per_second,
            "window": window,
            "granularity": "1s",
        }
    return {
        "target": {"service": target or plan.name, "port": plan.port},
        "rules": [rule],
        "scalingMetric": metric,
        "timeouts": {"readiness": f"{wake_timeout_s(plan)}s"},
    }


def wake_timeout_s(plan: ServicePlan) -> int:
    """How long a request waits for a start: at least for as long as the description says that a start may take."""
    return max(WAKE_TIMEOUT_S, plan.health.grace_s if plan.health else 0)


def reference_grant_spec(plan: ServicePlan) -> dict[str, Any]:
    """Lets routes of the service's namespace name the interceptor, and nothing else."""
    return {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": plan.namespace}],
        "to": [{"group": "", "kind": "Service", "name": INTERCEPTOR_SERVICE}],
    }


def route_spec(
    plan: ServicePlan, gateway: Any, gateway_namespace: str, weights: Mapping[Track, int] | None = None
) -> dict[str, Any]:
    """From the Gateway to the interceptor; with `weights`, to both versions of a service.

    As HTTP/2 where the service speaks it, which gRPC needs on its whole way; as HTTP/1.1 else, whatever the client
    speaks. No timeout: the interceptor bounds the wait for a sleeping service, and a model may stream for
    minutes.
    """
    shares = [(None, 1)] if weights is None else weights.items()
    backends = [_backend(plan, track, share) for track, share in shares]
    return {
        # The tenant's own listeners, with its names, its certificate and its keys.
        "parentRefs": [{**parent_reference(plan), "name": gateway, "namespace": gateway_namespace}],
        "hostnames": list(plan.hosts),
        "rules": [{"filters": [repeats_filter(plan)], "backendRefs": backends, "timeouts": {"request": "0s"}}],
    }


def _backend(plan: ServicePlan, track: Track | None, share: int) -> dict[str, Any]:
    port = INTERCEPTOR_HTTP2_PORT if plan.speaks_http2 else INTERCEPTOR_PORT
    backend: dict[str, Any] = {"name": INTERCEPTOR_SERVICE, "namespace": KEDA_NAMESPACE, "port": port}
    if track is None:
        return backend
    header = {"name": TRACK_HEADER, "value": track.value}
    change = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [header]}}
    return {**backend, "weight": share, "filters": [change]}


def is_called(plan: ServicePlan) -> bool:
    """Whether the gateway sends it requests."""
    return plan.kind is Kind.WEB
