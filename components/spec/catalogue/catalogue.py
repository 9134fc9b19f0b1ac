"""The whole catalogue, with look-ups by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.catalogue.bring_up import BringUp
from components.spec.catalogue.evidence import CatalogueItem, Source, SourceId
from components.spec.catalogue.firmware import FirmwareBaseline
from components.spec.catalogue.latency import Latency
from components.spec.catalogue.model import ModelProfile
from components.spec.catalogue.power import PowerUnit
from components.spec.catalogue.price import Price
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.software import SoftwareSet
from components.spec.catalogue.switch import SwitchProfile
from components.spec.types import Name

Sources = Annotated[Mapping[SourceId, Source], AfterValidator(MappingProxyType), PlainSerializer(dict)]

Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
"""ISO 3166-1 code."""

Sites = Annotated[Mapping[Name, Country], AfterValidator(MappingProxyType), PlainSerializer(dict)]

Item = TypeVar("Item", bound=CatalogueItem)


class Catalogue(Model):
    """Hardware and software that regions are made of."""

    racks: tuple[RackProfile, ...] = ()
    switches: tuple[SwitchProfile, ...] = ()
    power_units: tuple[PowerUnit, ...] = ()
    baselines: tuple[FirmwareBaseline, ...] = ()
    """Of firmware."""
    software: tuple[SoftwareSet, ...] = ()
    """Together the compatibility matrix."""
    bring_ups: tuple[BringUp, ...] = ()
    """How kinds of racks are brought from the floor to the hand-over to Ironic."""
    models: tuple[ModelProfile, ...] = ()
    """That services may name."""
    prices: tuple[Price, ...] = ()
    latencies: tuple[Latency, ...] = ()
    sites: Sites = Field(default_factory=lambda: MappingProxyType({}))
    """Site of a latency -> the country whose law it is under."""
    sources: Sources = Field(default_factory=lambda: MappingProxyType({}))
    """Where the facts come from."""

    def rack(self, name: str) -> RackProfile | None:
        """The rack profile of this name."""
        return _named(self.racks, name)

    def switch(self, name: str) -> SwitchProfile | None:
        """The switch profile of this name."""
        return _named(self.switches, name)

    def power_unit(self, name: str) -> PowerUnit | None:
        """The power unit of this name."""
        return _named(self.power_units, name)

    def baseline(self, name: str) -> FirmwareBaseline | None:
        """The firmware baseline of this name."""
        return _named(self.baselines, name)

    def software_set(self, name: str) -> SoftwareSet | None:
        """The software set of this name."""
        return _named(self.software, name)

    def bring_up(self, name: str) -> BringUp | None:
        """The bring-up of this name."""
        return _named(self.bring_ups, name)

    def model(self, name: str) -> ModelProfile | None:
        """The model of this name."""
        return _named(self.models, name)

    def software_for(
        self, *, os: str, arch: str, gpu_architecture: str | None = None, driver: str | None = None
    ) -> tuple[SoftwareSet, ...]:
        """The sets that a host with this image fits; without GPUs, its driver does not matter."""
        return tuple(
            each
            for each in self.software
            if (each.os, each.arch) == (os, arch)
            and (gpu_architecture is None or gpu_architecture in each.gpu_architectures)
            and (driver is None or driver == each.driver)
        )

    def latency(self, one: str, other: str) -> Latency | None:
        """Between two sites, in any order."""
        return next((each for each in self.latencies if {one, other} == set(each.between)), None)

    def items(self) -> Iterator[tuple[str, int, CatalogueItem]]:
        """All items that carry evidence, with their kind and place in it."""
        for kind in (
            "racks",
            "switches",
            "power_units",
            "baselines",
            "software",
            "bring_ups",
            "models",
            "prices",
            "latencies",
        ):
            for index, item in enumerate(getattr(self, kind)):
                yield kind, index, item


def _named(items: tuple[Item, ...], name: str) -> Item | None:
    return next((item for item in items if item.name == name), None)
