"""An artifact index for before anything is published.

The hardware list (wiring, records) is needed to build the datacenter that will publish the images, so
it is compiled with an index in which everything that the description names is there, but pending. Its
digests are all zero, which no content has; a plan made with it is never handed to a provider.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.landing import land
from components.plan.models import Served
from components.plan.rules import MANIFESTS, system_images
from components.spec.artifacts import ArtifactIndex, DeployImage, Manifest, PublishedImage, PublishedWeights
from components.spec.region import Region
from components.spec.services import services_of

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
    names = {*system_images(region), *_images_of_services(region)}
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
            for checkpoint in sorted(_checkpoints_of_services(region))
        },
    )


def _images_of_services(region: Region) -> Iterator[str]:
    """Names of the images that services start, those of their models included."""
    for placed in services_of(region):
        model = region.catalogue.model(placed.service.model) if placed.service.model else None
        if name := placed.service.image or (model.engine.image if model else None):
            yield name


def _checkpoints_of_services(region: Region) -> Iterator[str]:
    """Checkpoints of the models that are served here, each in the precision that fits."""
    return (each.found.plan.checkpoint for each in land(region).services if isinstance(each.found, Served))
