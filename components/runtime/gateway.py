"""The front door of a region's services.

Owns the Gateway object and the namespace that it stands in. Does not own the GatewayClass nor the
Envoy pods (the runtime playbook and Envoy Gateway do), nor the announcement of the address (the
GPU workers' FRR does), nor tenants' listeners (tenant_gateway.py), nor routes (each service brings its own).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import standard_labels
from components.plan.serving import GATEWAY_CLASS, GATEWAY_NAMESPACE


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """What a Gateway is made of."""

    gateway: str
    """Name of the Gateway, unique in the region."""
    vip: str
    """Address that clients use, plain; announced by BGP and routed to any GPU worker."""
    region: str
    """Region that the Gateway is part of, for its labels."""
    port: int = 80
    """Port of the plain HTTP listener."""


class Gateway(pulumi.ComponentResource):
    """A Gateway on a virtual address. Its own listener answers 404 to names that are no tenant's."""

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
            api_version="gateway.networking.k8s.io/v1",
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
                        "name": "http",
                        "protocol": "HTTP",
                        "port": args.port,
                        "allowedRoutes": {"namespaces": {"from": "Same"}},
                    }
                ],
                # Tenants' listeners stand beside it, where only the region's operator writes.
                "allowedListeners": {"namespaces": {"from": "Same"}},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.gateway = gateway.id.apply(lambda _: args.gateway)
        self.register_outputs({"gateway": self.gateway, "namespace": self.namespace})
