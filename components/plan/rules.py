"""Rules between a description and the artifact index: everything that is named is published."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping

from components.errors import Problem
from components.plan.models.weights import IMAGE as WEIGHTS_IMAGE
from components.spec.artifacts import ArtifactIndex
from components.spec.position import Location
from components.spec.region import Region
from components.spec.services import services_of

Rule = Callable[[Region, ArtifactIndex], Iterable[Problem]]

KUBERNETES_IMAGES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
"""Container images that carry the version of Kubernetes as their tag."""

KUBEADM_IMAGES = (*KUBERNETES_IMAGES, "etcd", "coredns", "pause")
"""Container images that kubeadm starts."""

SYSTEM_IMAGES = (
    *KUBEADM_IMAGES,
    "envoy-gateway",
    "envoy",
    "kueue",
    "kube-router",
    "victoria-metrics",
    "kube-state-metrics",
    "claim-metrics",
    WEIGHTS_IMAGE,
)
"""Container images that every cluster runs."""

DRA_DRIVER = {True: "simulated-gpu-driver", False: "nvidia-dra-driver"}
"""Image of the driver behind the DeviceClass, by whether the GPUs are simulated."""

MANIFESTS = ("keda", "http-add-on", "envoy-gateway", "kueue")
"""Add-ons of the serverless runtime."""


def system_images(region: Region) -> tuple[str, ...]:
    """Container images that this region's cluster runs, whatever its tenants do."""
    used = {rack.profile for rack in region.racks}
    simulated = any(profile.simulated for profile in region.catalogue.racks if profile.profile in used)
    return (*SYSTEM_IMAGES, DRA_DRIVER[simulated])


def deploy_images_are_published(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """Each deploy image is in the index, in the format that the description expects."""
    for key, image in region.images.items():
        published = artifacts.deploy_images.get(image.name)
        if published is None:
            yield _unpublished(region, ("images", key, "name"), image.name, artifacts.deploy_images)
        elif published.format != image.format:
            yield region.positions.problem(
                ("images", key, "format"),
                "deploy-image-format",
                "the image was published in another format",
                found=image.format,
                allowed=published.format,
                remedy="correct the format here, or publish the image again",
            )


def service_images_are_published(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """Each tenant service's image, or that of its model's engine, is in the index."""
    for placed in services_of(region):
        image = placed.service.image
        model = region.catalogue.model(placed.service.model) if placed.service.model else None
        if image and image not in artifacts.container_images:
            yield _unpublished(region, (*placed.at, "image"), image, artifacts.container_images)
        elif model and model.engine.image not in artifacts.container_images:
            yield _unpublished(
                region,
                (*placed.at, "model"),
                model.engine.image,
                artifacts.container_images,
                whose=f", the engine of {model.model},",
            )


def system_artifacts_are_published(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """Images of the cluster and manifests of the runtime are in the index."""
    for name in system_images(region):
        if name not in artifacts.container_images:
            yield _unpublished(region, ("cluster",), name, artifacts.container_images)
    for name in MANIFESTS:
        if name not in artifacts.manifests:
            yield _unpublished(region, ("runtime",), name, artifacts.manifests)


def kubernetes_images_have_its_version(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """The control plane's images are those of the version that the description asks for."""
    wanted = f"v{region.cluster.kubernetes}"
    for name in KUBERNETES_IMAGES:
        image = artifacts.container_images.get(name)
        if image and image.tag != wanted:
            yield region.positions.problem(
                ("cluster", "kubernetes"),
                "kubernetes-image-version",
                f"the published {name} is of another version",
                found=wanted,
                allowed=image.tag,
                remedy="publish the images of this version, or ask for the published one",
            )


ABOUT: Mapping[str, str] = {
    "artifact-unpublished": "Every image and every manifest that a region needs is in the artifact index.",
    "deploy-image-format": "A deploy image was published in the format that the description expects.",
    "kubernetes-image-version": "The published images of the control plane are of the cluster's version.",
}
"""Id -> what must hold."""

RULES: tuple[Rule, ...] = (
    deploy_images_are_published,
    service_images_are_published,
    system_artifacts_are_published,
    kubernetes_images_have_its_version,
)


def _unpublished(region: Region, at: Location, name: str, known: Iterable[str], *, whose: str = "") -> Problem:
    close = difflib.get_close_matches(name, known, n=1)
    return region.positions.problem(
        at,
        "artifact-unpublished",
        f"{name}{whose} is not in the artifact index",
        found=name,
        allowed=", ".join(sorted(known)) or "nothing is published",
        remedy=f"did you mean {close[0]}?" if close else "build and publish it, then run this again",
    )
