"""An artifact index for before anything is published.

The hardware list (wiring, records) is needed to build the datacenter that will publish the images, so
it is compiled with an index in which everything that the description names is there, but pending. Its
digests are all zero, which no content has; a plan made with it is never handed to a provider.
"""

from __future__ import annotations

from components.plan.rules import DRA_DRIVER, MANIFESTS, SYSTEM_IMAGES
from components.spec.artifacts import ArtifactIndex, DeployImage, Manifest, PublishedImage
from components.spec.region import Region

NO_DIGEST = "0" * 64
NOWHERE = "https://pending.invalid/"
"""Begins the addresses of what is not published: well formed, and by its top-level domain never anywhere."""


def pending_index(region: Region) -> ArtifactIndex:
    """Everything that the region names, not yet published."""
    names = {*SYSTEM_IMAGES, *DRA_DRIVER.values(), *(service.image for service in region.runtime.services)}
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
    )
