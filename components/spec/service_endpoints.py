"""The services that a region needs before it has a cluster: images, packages, time, names."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Address, Registry, SecretReference, Url


class AptRepository(Model):
    """The region's own package repository."""

    url: Url
    suite: Annotated[str, Field(pattern="^[a-z][a-z0-9./-]*$")]
    """Name of the distribution in the repository, e.g. `bookworm`."""
    key: SecretReference
    """Public key (ASCII armour) that signs the repository."""


class Services(Model):
    """Endpoints of the region's services."""

    address: Address
    """Address of the machine or load balancer behind the names `registry`, `ironic`, `images`, `apt`
    and `s3` of the region's domain."""
    ironic: Url
    images: Url
    """HTTP server of deploy images and manifests."""
    registry: Registry
    """Image registry; the only one that a host may pull from."""
    apt: AptRepository
    s3: Url
    """Object store, for Pulumi's state."""
    ntp: Annotated[tuple[Address, ...], Field(min_length=1)]
    """Time servers; certificates and etcd need right clocks."""
    dns: Annotated[tuple[Address, ...], Field(min_length=1)]
    """Resolvers of hosts and pods. One that never answers costs minutes, so at least one must be real."""
