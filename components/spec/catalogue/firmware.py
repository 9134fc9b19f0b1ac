"""Firmware baselines: versions that were tested together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.types import PartVersion
from components.spec.types import Name

Part = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""A part that carries firmware, such as bmc, hmc, gpu, sbios, nvos, erot, bf3_bfb."""

InventoryId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""Of a member of `UpdateService/FirmwareInventory`."""


class Endpoint(StrEnum):
    """What has a Redfish service of its own."""

    POWER_SHELF = "power_shelf"
    NVLINK_SWITCH = "nvlink_switch"
    DPU = "dpu"
    COMPUTE_TRAY = "compute_tray"


Parts = Annotated[Mapping[Part, PartVersion], AfterValidator(MappingProxyType), PlainSerializer(dict)]


def _plain(inventory: Mapping[Endpoint, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {endpoint.value: dict(members) for endpoint, members in inventory.items()}


Inventory = Annotated[
    Mapping[Endpoint, Annotated[Mapping[InventoryId, Part], AfterValidator(MappingProxyType)]],
    AfterValidator(MappingProxyType),
    PlainSerializer(_plain),
]


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


def _no_inventory() -> Mapping[Endpoint, Mapping[str, str]]:
    return MappingProxyType({})


class FirmwareBaseline(CatalogueItem):
    """The locked bundle of one kind of rack. A part that is missing is left as it was delivered."""

    name_key: ClassVar[str] = "baseline"
    text_facts: ClassVar[frozenset[str]] = frozenset({"release", "parts", "tools", "inventory"})

    baseline: Name
    """Name that rack profiles refer to; equal to the file's name."""
    release: PartVersion | None = None
    """The maker's name of the whole set."""
    parts: Parts
    """Part -> version that is flashed."""
    tools: Parts = Field(default_factory=_none)
    """Program that flashes or inspects -> version of the same set."""

    inventory: Inventory = Field(default_factory=_no_inventory)
    """Kind of endpoint -> id in its firmware inventory -> part whose version it is brought to and checked for. What
    the inventory does not name is flashed by other means, such as network cards by their host."""

    @property
    def is_known(self) -> bool:
        """Whether there is a set to flash at all; parts that are unknown one by one are left as delivered."""
        return bool(self.parts)

    def versions(self, endpoint: Endpoint) -> Mapping[str, str]:
        """Id in the endpoint's firmware inventory -> version that it is brought to."""
        return {id: self.parts[part] for id, part in self.inventory.get(endpoint, {}).items()}
