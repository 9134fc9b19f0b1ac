"""Where a region is, what it is called, and the references to what opens it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Domain, Name, SecretReference


class GeoPosition(Model):
    """A point on the map (WGS 84)."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Degrees north."""
    longitude: Annotated[float, Field(ge=-180, le=180)]
    """Degrees east."""


class Hall(Model):
    """A room with rows of racks."""

    name: Name
    rows: Annotated[int, Field(ge=1, le=200)]
    racks_per_row: Annotated[int, Field(ge=1, le=100)]

    @property
    def places(self) -> int:
        """Racks that it holds."""
        return self.rows * self.racks_per_row


class Site(Model):
    """A datacenter, or the bench machine that plays one."""

    name: Name
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    """ISO 3166-1 code, two capitals: the law that the data is under."""
    domain: Domain
    """DNS zone of the region; host names and service names live in it."""
    position: GeoPosition
    """For distances, and the delays that follow from them."""
    delays_as: Name | None = None
    """Which site of the catalogue's delays it is; by default that of the region's name."""
    backup: Name | None = None
    """Site of the catalogue's delays that keeps the copies of the region's state; absent where none is kept."""
    halls: Annotated[tuple[Hall, ...], Field(min_length=1)]
    """In the order in which the ids of racks count their places. A new hall goes to the end."""


class Credentials(Model):
    """References to the secrets of a region; the values never come near the description."""

    bmc: SecretReference
    """JSON with `username` and `password` of all BMCs; or a folder of `RACK.json` with a login for each endpoint, as
    the bring-up keeps them in `.region/REGION/bring-up/passwords`."""
    ironic: SecretReference
    """JSON with `username` and `password` of the Ironic API."""
    s3: SecretReference
    """JSON with `access_key` and `secret_key` of the object store."""
    weights_reader: SecretReference
    """JSON with `access_key`, a name, and `secret_key`, at random, of an account that `region up` makes with them in
    the object store. The caches of weights have it: it reads the bucket of weights and does nothing else."""
    ssh_key: SecretReference
    """OpenSSH private key that opens switches and hosts; its public half is beside it, `.pub`."""
    switch_known_hosts: SecretReference
    """Pinned host keys of the switches, in OpenSSH's form, by out-of-band address."""


class Pki(Model):
    """The region's own certificate authority."""

    ca_certificate: SecretReference
    """Certificate (PEM) that every client in the region trusts."""
    ca_key: SecretReference
    """Its key; signs the Kubernetes API server's certificate."""
