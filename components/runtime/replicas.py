"""What stands behind a service's route: pods, what they claim, and the rule by which KEDA scales them.

Owns the order in which these objects are made, and what of them is left alone. A service has one set of them; one that
is rolled out by shares has two, its tracks, of which one answers while the other sleeps or is being tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import selector_labels, standard_labels
from components.plan.rolling import is_rolled
from components.plan.rollout import STEADY_S, Track
from components.plan.rollout_labels import TRACK_LABEL, VERSION_LABEL
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import (
    PROGRESS_S,
    claim_template_spec,
    pod_template,
    strategy,
    version_of,
    volume_claim_name,
    volume_claim_spec,
)
from components.runtime.objects_routes import interceptor_route_spec, is_called, service_spec
from components.runtime.objects_scaling import is_scaled, scaled_object_spec

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""Asleep is the desired state: waiting for pods or endpoints would never end. The checks wake it."""


@dataclass(frozen=True, kw_only=True)
class Replicas:
    """One set of a service's objects, children of the component that makes them."""

    parent: pulumi.Resource
    name: str
    """Logical name that those of the objects begin with."""
    service: ServicePlan
    device_class: str
    region: str
    secrets: Mapping[str, pulumi.Input[str]]
    """Variable -> value, each an output that Pulumi knows to be secret."""
    track: Track | None = None
    is_left: bool = False
    """Whether the pods stay as they stand, whatever the description says: they are the version that answers."""

    @property
    def object_name(self) -> str:
        """Name of its objects in the cluster."""
        return f"{self.service.name}-{self.track}" if self.track else self.service.name

    def create(self) -> None:
        """Make the objects."""
        deployment = self._create_pods()
        self._create_service()
        after: list[pulumi.Resource] = [deployment]
        if is_called(self.service):
            after.append(self._create_interceptor_route())
        if is_scaled(self.service):
            self._create_scaling(after)

    @property
    def _least(self) -> int:
        """Replicas at first, and at least: none of the track that does not answer yet."""
        return 0 if self.track is Track.B else self.service.min_replicas

    @property
    def _labels(self) -> dict[str, str]:
        return standard_labels(self.service.name, component="service", part_of=self.region)

    @property
    def _selector(self) -> dict[str, str]:
        track = {TRACK_LABEL: self.track.value} if self.track else {}
        return {**selector_labels(self.service.name), **track}

    @property
    def _pod_labels(self) -> dict[str, str]:
        track = {TRACK_LABEL: self.track.value} if self.track else {}
        return {**self._labels, **track, VERSION_LABEL: version_of(self.service)}

    def _metadata(self, annotations: Mapping[str, str] | None = None) -> ObjectMetaArgsDict:
        """Metadata of one of its objects: all have the service's name and its namespace."""
        metadata: ObjectMetaArgsDict = {
            "name": self.object_name,
            "namespace": self.service.namespace,
            "labels": self._labels,
        }
        if annotations:
            metadata["annotations"] = dict(annotations)  # an empty map would differ at each preview
        return metadata

    def _options(
        self, *left: str, ignored: tuple[str, ...] = (), after: list[pulumi.Resource] | None = None
    ) -> pulumi.ResourceOptions:
        """`left` are the fields that belong to the version of the pods."""
        fields = [*ignored, *(left if self.is_left else ())]
        return pulumi.ResourceOptions(parent=self.parent, ignore_changes=fields or None, depends_on=after)

    def _create_pods(self) -> kubernetes.apps.v1.Deployment:
        plan = self.service
        after: list[pulumi.Resource] = [*self._create_volumes()]
        if plan.gpus:
            after.append(
                kubernetes.resource.v1.ResourceClaimTemplate(
                    f"{self.name}-claim",
                    metadata=self._metadata(),
                    spec=claim_template_spec(plan, self.device_class),
                    opts=self._options("spec"),
                )
            )
        secret = self._create_secret()
        template = pod_template(plan, self._pod_labels, claim=self.object_name if plan.gpus else None, secret=secret)
        return kubernetes.apps.v1.Deployment(
            f"{self.name}-deployment",
            metadata=self._metadata(SKIP_AWAIT),
            spec={
                "replicas": self._least,
                "selector": {"match_labels": self._selector},
                "strategy": strategy(plan),
                # A container without a readiness probe is ready the moment it starts, also one that ends at once.
                "min_ready_seconds": STEADY_S if is_rolled(plan) else 0,
                "progress_deadline_seconds": PROGRESS_S,
                "template": template,
            },
            opts=self._options(
                "spec.template",
                # The first value only: from then on KEDA owns the count.
                ignored=("spec.replicas",) if is_scaled(plan) else (),
                # Pods name the template and the disks by their names, which are known before they exist.
                after=after,
            ),
        )

    def _create_secret(self) -> pulumi.Output[str] | None:
        """The values, in a Secret that never changes: another value is another Secret, under a name that the cluster
        gives, and so the pods are replaced as they are for any other change."""
        if not self.service.secrets:
            return None
        secret = kubernetes.core.v1.Secret(
            f"{self.name}-secrets",
            metadata={"namespace": self.service.namespace, "labels": self._labels},
            immutable=True,
            string_data=pulumi.Output.secret(dict(self.secrets)),
            opts=self._options("stringData"),
        )
        return secret.metadata["name"]

    def _create_volumes(self) -> list[pulumi.Resource]:
        return [
            kubernetes.core.v1.PersistentVolumeClaim(
                f"{self.name}-volume-{volume.name}",
                metadata={**self._metadata(SKIP_AWAIT), "name": volume_claim_name(self.service, volume.name)},
                spec=volume_claim_spec(volume.size_gib),
                # Data outlives the description of its service: who wants it gone deletes the claim.
                opts=pulumi.ResourceOptions(parent=self.parent, retain_on_delete=True),
            )
            for volume in self.service.volumes
        ]

    def _create_service(self) -> None:
        if self.service.ports:
            kubernetes.core.v1.Service(
                f"{self.name}-service",
                metadata=self._metadata(SKIP_AWAIT),
                spec=service_spec(self.service, self._selector),
                opts=self._options(),
            )

    def _create_interceptor_route(self) -> CustomResource:
        return CustomResource(
            f"{self.name}-interceptor",
            api_version="http.keda.sh/v1beta1",
            kind="InterceptorRoute",
            metadata=self._metadata(),
            spec=interceptor_route_spec(self.service, target=self.object_name, track=self.track),
            opts=self._options(),
        )

    def _create_scaling(self, after: list[pulumi.Resource]) -> None:
        CustomResource(
            f"{self.name}-scaling",
            api_version="keda.sh/v1alpha1",
            kind="ScaledObject",
            # Ready: KEDA watches the interceptor, so a first request wakes the service.
            metadata=self._metadata({"pulumi.com/waitFor": "condition=Ready"}),
            spec={
                **scaled_object_spec(self.service, deployment=self.object_name, route=self.object_name),
                "minReplicaCount": self._least,
            },
            opts=self._options(
                # Of tracks the first value only: from then on it is the rollout's, which knows which one answers.
                ignored=("spec.minReplicaCount",) if self.track else (),
                # KEDA looks both up by name; a ScaledObject that comes first reports an error and backs off.
                after=after,
            ),
        )
