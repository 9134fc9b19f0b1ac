"""An artifact index for before anything is published.

The hardware list (wiring, records) is needed to build the datacenter that will publish the images, so
it is compiled with an index in which everything that the description names is there, but pending. Its
digests are all zero, which no content has; a plan made with it is never handed to a provider.
"""

from __future__ import annotations

from components.plan.rules import MANIFESTS, system_images
from components.plan.workload import checkpoints_of_services, images_of_services
from components.spec.artifacts import ArtifactIndex, DeployImage, Manifest, PublishedImage, PublishedWeights
from components.spec.region import Region

NO_DIGEST = "0" * 64
NOWHERE = "https://pending.invalid/"
"""Begins the addresses of what is not published: well formed, and by its top-level domain never anywhere."""


def completed(index: ArtifactIndex, region: Region) -> tuple[ArtifactIndex, tuple[str, ...]]:
    """The index with what it lacks pending, and the names of that: for the preview of what is built meanwhile."""
    pending = pending_index(region)
    parts = ("deploy_images", "container_images", "manifests", "weights")
    lacks = {part: getattr(pending, part).keys() - getattr(index, part).keys() for part in parts}
    whole = {
        part: {**getattr(index, part), **{name: getattr(pending, part)[name] for name in sorted(names)}}
        for part, names in lacks.items()
    }
    return index.model_copy(update=whole), tuple(sorted(name for names in lacks.values() for name in names))


def pending_index(region: Region) -> ArtifactIndex:
    """Everything that the region names, not yet published."""
    names = {*system_images(region), *images_of_services(region)}
    tag = f"v{region.cluster.kubernetes}"
    return ArtifactIndex(
        schema=1,
        deploy_images={
            image.name: DeployImage(url=NOWHERE + image.name, sha256=NO_DIGEST, format=image.format, size=1)
            for image in region.images.values()
        },
        container_images={
            name: PublishedImage(reference=f"{name}@sha256:{NO_DIGEST}", tag=tag) for name in sorted(names)
        },
        manifests={name: Manifest(url=NOWHERE + name, sha256=NO_DIGEST) for name in MANIFESTS},
        weights={
            checkpoint: PublishedWeights(manifest=f"sha256:{NO_DIGEST}", bytes=1)
            for checkpoint in sorted(checkpoints_of_services(region))
        },
    )
