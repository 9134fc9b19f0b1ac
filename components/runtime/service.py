"""A serverless service: sleeps at zero, wakes on a request, claims its GPUs when it wakes. Or a worker, which nobody
calls.

Owns the objects of one service: its replicas, or its two tracks of them, and the route through the region's Gateway to
the interceptor that holds requests. Does not own the namespace and its quota (components/kubernetes), the Gateway
(gateway.py), jobs (job.py), nor the shares of two tracks while a rollout runs (stacks/rollout.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import standard_labels
from components.plan.rollout import Track, first_weights, is_staged, route_name
from components.plan.serving import GATEWAY_NAMESPACE, KEDA_NAMESPACE
from components.plan.tenancy.gateway import service_url
from components.plan.tenants import ServicePlan
from components.runtime.objects_routes import is_called, reference_grant_spec, route_spec
from components.runtime.replicas import Replicas


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """What a Service is made of."""

    service: ServicePlan
    """Image, GPUs, host name and scaling, from the plan."""
    device_class: str
    """Class of the GPUs that it claims."""
    gateway: pulumi.Input[str]
    """The tenant's listeners at the gateway, which its route attaches to."""
    region: str
    """Region that the service is part of, for its labels."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Variable -> value of each of the plan's secrets, known to Pulumi as secret."""
    left: frozenset[Track] = frozenset()
    """Tracks whose pods stay as they stand: the one that answers, and both once it is the version described."""


class Service(pulumi.ComponentResource):
    """A function or model behind the region's Gateway, scaled by its requests; or a worker, scaled by its work."""

    url: pulumi.Output[str]
    """Where clients call it; empty for a worker."""
    namespace: pulumi.Output[str]
    """Namespace that it runs in."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:runtime:Service", name, None, opts)
        plan = args.service
        self._labels = standard_labels(plan.name, component="service", part_of=args.region)
        for track in Track if is_staged(plan) else (None,):
            Replicas(
                parent=self,
                name=f"{name}-{track}" if track else name,
                service=plan,
                device_class=args.device_class,
                region=args.region,
                secrets=args.secrets,
                track=track,
                is_left=track in args.left,
            ).create()
        self.url = self._create_route(name, args) if is_called(plan) else pulumi.Output.from_input("")
        self.namespace = pulumi.Output.from_input(plan.namespace)
        self.register_outputs({"url": self.url, "namespace": self.namespace})

    def _create_route(self, name: str, args: ServiceArgs) -> pulumi.Output[str]:
        plan = args.service
        has_tracks = is_staged(plan)
        # Another name with tracks: the shares are someone else's to set, which Pulumi may neither undo nor take over.
        role = "shares" if has_tracks else "route"
        grant = CustomResource(
            f"{name}-grant",
            api_version="gateway.networking.k8s.io/v1beta1",
            kind="ReferenceGrant",
            metadata={
                "name": f"{plan.namespace}-{plan.name}",
                "namespace": KEDA_NAMESPACE,
                "labels": self._labels,
            },
            spec=reference_grant_spec(plan),
            opts=pulumi.ResourceOptions(parent=self),
        )
        route = CustomResource(
            f"{name}-{role}",
            api_version="gateway.networking.k8s.io/v1",
            kind="HTTPRoute",
            metadata={"name": route_name(plan), "namespace": plan.namespace, "labels": self._labels},
            spec=route_spec(plan, args.gateway, GATEWAY_NAMESPACE, first_weights() if has_tracks else None),
            opts=pulumi.ResourceOptions(
                parent=self,
                # The first value only: from then on the shares are the rollout's.
                ignore_changes=["spec.rules"] if has_tracks else None,
                # The route is refused, visibly, until the interceptor's namespace allows the reference.
                depends_on=[grant],
            ),
        )
        return route.id.apply(lambda _: service_url(plan))
