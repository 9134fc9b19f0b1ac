"""The front door of a region's services.

Owns the Gateway object, the answer by which it says that it is up, and the namespace that they stand in. Does not own the GatewayClass nor the
Envoy pods (the runtime playbook and Envoy Gateway do), nor the announcement of the address (the
GPU workers' FRR does), nor tenants' listeners (tenant_gateway.py), nor routes (each service brings its own).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import standard_labels
from components.plan.edges.health import HEALTH, OWN_LISTENER, health_filter_spec, health_route_spec
from components.plan.serving import GATEWAY_CLASS, GATEWAY_NAMESPACE, GATEWAY_PORT
from components.plan.tenancy.gateway import ENVOY_API, GATEWAY_API

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """What a Gateway is made of."""

    gateway: str
    """Name of the Gateway, unique in the region."""
    vip: str
    """Address that clients use, plain; announced by BGP and routed to any GPU worker."""
    health_host: str
    """Name by which it is asked whether it is up."""
    health_path: str
    """Path at which it says so."""
    region: str
    """Region that the Gateway is part of, for its labels."""


class Gateway(pulumi.ComponentResource):
    """A Gateway on a virtual address. Its own listener answers at the health path, and 404 elsewhere, to names
    that are no tenant's."""

    gateway: pulumi.Output[str]
    """Name of the Gateway, once it exists."""
    namespace: pulumi.Output[str]
    """Namespace that the Gateway stands in."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:runtime:Gateway", name, None, opts)
        labels = standard_labels(args.gateway, component="gateway", part_of=args.region)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": GATEWAY_NAMESPACE, "labels": labels},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.namespace = namespace.metadata["name"]
        gateway = CustomResource(
            f"{name}-gateway",
            api_version=GATEWAY_API,
            kind="Gateway",
            metadata={
                "name": args.gateway,
                "namespace": self.namespace,
                "labels": labels,
                # Programmed means that Envoy answers: until then a region that is up serves nothing.
                "annotations": {"pulumi.com/waitFor": "condition=Programmed"},
            },
            spec={
                "gatewayClassName": GATEWAY_CLASS,
                # Becomes the externalIPs of Envoy's service: kube-proxy on every node takes it.
                "addresses": [{"type": "IPAddress", "value": args.vip}],
                "listeners": [
                    {
                        "name": OWN_LISTENER,
                        "protocol": "HTTP",
                        "port": GATEWAY_PORT,
                        "allowedRoutes": {"namespaces": {"from": "Same"}},
                    }
                ],
                # Tenants' listeners stand beside it, where only the region's operator writes.
                "allowedListeners": {"namespaces": {"from": "Same"}},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._create_health(name, args, labels, gateway)
        self.gateway = gateway.id.apply(lambda _: args.gateway)
        self.register_outputs({"gateway": self.gateway, "namespace": self.namespace})

    def _create_health(self, name: str, args: GatewayArgs, labels: Mapping[str, str], gateway: pulumi.Resource) -> None:
        metadata: ObjectMetaArgsDict = {"name": HEALTH, "namespace": self.namespace, "labels": dict(labels)}
        answer = CustomResource(
            f"{name}-health-answer",
            api_version=ENVOY_API,
            kind="HTTPRouteFilter",
            metadata=metadata,
            spec=health_filter_spec(),
            opts=pulumi.ResourceOptions(parent=self),
        )
        CustomResource(
            f"{name}-health-route",
            api_version=GATEWAY_API,
            kind="HTTPRoute",
            metadata=metadata,
            spec=health_route_spec(args.gateway, args.health_host, args.health_path),
            # Both are named in the route, by name only; a route without its answer is a 500.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[gateway, answer]),
        )
