"""A region: what its files say, all together, and the catalogue that they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, PrivateAttr

from components.spec.base import Model
from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.rack import RackProfile
from components.spec.cluster import Cluster, Drivers
from components.spec.image import Image
from components.spec.network import AsNumbers, Compute, Fabric, OutOfBandNetwork, Pools, ScalableUnit
from components.spec.position import Positions
from components.spec.power import Power
from components.spec.rack import Rack, Tray
from components.spec.runtime import Runtime
from components.spec.service_endpoints import Services
from components.spec.site import Credentials, Pki, Site
from components.spec.steering import Steered
from components.spec.tenant import Tenant
from components.spec.types import Name, SecretReference

Images = Annotated[
    Mapping[Name, Image],
    AfterValidator(MappingProxyType),
    # A mapping proxy is frozen, which a dictionary is not; to write it out, it is one again.
    PlainSerializer(dict),
]


Received = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""rack -> slot -> what was delivered there: `serial`, `macs`, `bmc_mac`; an InfiniBand switch has the one slot `mgmt`."""


class RegionFiles(Model):
    """All top-level keys of a region's files, each in exactly one of them."""

    region: Name
    """Name of the region, and of its folder."""
    site: Site
    power: Power
    credentials: Credentials
    pki: Pki
    artifacts: SecretReference
    """The artifact index: digests of all images and manifests."""
    received: SecretReference | None = None
    """The list of what was delivered (JSON): rack -> slot -> serial and MACs, for racks written as a series."""
    provisional: bool = False
    """Whether the region stands on figures that are not settled; it is planned and never brought up."""
    services: Services
    pools: Pools
    asns: AsNumbers
    fabric: Fabric
    scalable_unit: ScalableUnit = ScalableUnit()
    compute: Compute | None = None
    """Absent where no job spans hosts."""
    oob: OutOfBandNetwork | None = None
    """Absent where one switch carries it all."""
    racks: Annotated[tuple[Rack, ...], Field(min_length=1)]
    images: Images
    """Deploy images by the name that racks use."""
    cluster: Cluster
    drivers: Drivers
    runtime: Runtime


class Region(RegionFiles):
    """A whole description, with the catalogue that it refers to."""

    catalogue: Catalogue
    tenants: tuple[Tenant, ...] = ()
    """One file each, below `tenants/`; in the order of their names."""
    steering: Steered | None = None
    """What `_steering.yaml` asks of this region; absent where it is no edge."""

    _positions: Positions = PrivateAttr(default_factory=Positions)
    _delivered: Received = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    @property
    def delivered(self) -> Received:
        """The list of what was delivered, as it was read; empty where there is none."""
        return self._delivered

    @property
    def positions(self) -> Positions:
        """Where each key was written; empty for a region that was not read from files."""
        return self._positions

    def at(self, positions: Positions, delivered: Received | None = None) -> Region:
        """The same region, knowing where its keys were written and what was delivered."""
        located = self.model_copy()
        located._positions = positions
        located._delivered = self._delivered if delivered is None else delivered
        return located

    def profile(self, rack: Rack) -> RackProfile | None:
        """The profile of a rack; None where the catalogue has none of its name, which a rule reports."""
        return self.catalogue.rack(rack.profile)

    def gpu_profile(self, rack: Rack, tray: Tray) -> RackProfile | None:
        """The profile that says what the GPUs of a tray are; its name is the pool that they belong to."""
        return self.catalogue.rack(tray.gpus_of or rack.profile)
