"""A serverless service: sleeps at zero, wakes on a request, claims its GPUs when it wakes.

Owns the objects of one service: pods and the claim of their GPUs, the route through the region's
Gateway to the interceptor that holds requests, and the rule by which KEDA scales. Does not own the
namespace and its quota (components/kubernetes) nor the Gateway (gateway.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import selector_labels, standard_labels
from components.plan.serving import GATEWAY_NAMESPACE, KEDA_NAMESPACE, WORKLOAD_ACCOUNT
from components.plan.tenants import ServicePlan
from components.runtime.objects import (
    claim_template_spec,
    interceptor_route_spec,
    pod_template,
    reference_grant_spec,
    route_spec,
    scaled_object_spec,
)

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""Asleep is the desired state: waiting for pods or endpoints would never end. The checks wake it."""


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """What a Service is made of."""

    service: ServicePlan
    """Image, GPUs, host name and scaling, from the plan."""
    device_class: str
    """Class of the GPUs that it claims."""
    gateway: pulumi.Input[str]
    """Gateway that its route attaches to."""
    region: str
    """Region that the service is part of, for its labels."""


class Service(pulumi.ComponentResource):
    """A function or model behind the region's Gateway, scaled by its requests."""

    url: pulumi.Output[str]
    """Where clients call it."""
    namespace: pulumi.Output[str]
    """Namespace that it runs in."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:runtime:Service", name, None, opts)
        self._labels = standard_labels(args.service.name, component="service", part_of=args.region)
        deployment = self._create_pods(name, args)
        self._create_service(name, args)
        interceptor = self._create_interceptor_route(name, args)
        self._create_scaling(name, args, after=[deployment, interceptor])
        self.url = self._create_route(name, args)
        self.namespace = pulumi.Output.from_input(args.service.namespace)
        self.register_outputs({"url": self.url, "namespace": self.namespace})

    def _metadata(self, plan: ServicePlan, annotations: Mapping[str, str] | None = None) -> ObjectMetaArgsDict:
        """Metadata of one of its objects: all have the service's name and its namespace."""
        metadata: ObjectMetaArgsDict = {"name": plan.name, "namespace": plan.namespace, "labels": self._labels}
        if annotations:
            metadata["annotations"] = dict(annotations)  # an empty map would differ at each preview
        return metadata

    def _create_pods(self, name: str, args: ServiceArgs) -> kubernetes.apps.v1.Deployment:
        plan = args.service
        after: list[pulumi.Resource] = []
        if plan.gpus:
            after.append(
                kubernetes.resource.v1.ResourceClaimTemplate(
                    f"{name}-claim",
                    metadata=self._metadata(plan),
                    spec=claim_template_spec(plan, args.device_class),
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        return kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._metadata(plan, SKIP_AWAIT),
            spec={
                "replicas": plan.min_replicas,
                "selector": {"match_labels": selector_labels(plan.name)},
                "template": pod_template(plan, self._labels, WORKLOAD_ACCOUNT),
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                # The first value only: from then on KEDA owns the count.
                ignore_changes=["spec.replicas"],
                # Pods name the template by its name, which is known before it exists.
                depends_on=after,
            ),
        )

    def _create_service(self, name: str, args: ServiceArgs) -> None:
        plan = args.service
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=self._metadata(plan, SKIP_AWAIT),
            spec={
                "selector": selector_labels(plan.name),
                "ports": [{"name": "http", "port": plan.port, "target_port": "http", "protocol": "TCP"}],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_interceptor_route(self, name: str, args: ServiceArgs) -> CustomResource:
        return CustomResource(
            f"{name}-interceptor",
            api_version="http.keda.sh/v1beta1",
            kind="InterceptorRoute",
            metadata=self._metadata(args.service),
            spec=interceptor_route_spec(args.service),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_scaling(self, name: str, args: ServiceArgs, after: list[pulumi.Resource]) -> None:
        CustomResource(
            f"{name}-scaling",
            api_version="keda.sh/v1alpha1",
            kind="ScaledObject",
            # Ready: KEDA watches the interceptor, so a first request wakes the service.
            metadata=self._metadata(args.service, {"pulumi.com/waitFor": "condition=Ready"}),
            spec=scaled_object_spec(args.service),
            # KEDA looks both up by name; a ScaledObject that comes first reports an error and backs off.
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _create_route(self, name: str, args: ServiceArgs) -> pulumi.Output[str]:
        plan = args.service
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
            f"{name}-route",
            api_version="gateway.networking.k8s.io/v1",
            kind="HTTPRoute",
            metadata=self._metadata(plan),
            spec=route_spec(plan, args.gateway, GATEWAY_NAMESPACE),
            # The route is refused, visibly, until the interceptor's namespace allows the reference.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[grant]),
        )
        return route.id.apply(lambda _: f"http://{plan.host}/")
