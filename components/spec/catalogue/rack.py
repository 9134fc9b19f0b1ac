"""Rack profiles: facts of a kind of rack, or of servers in a rack, shared by regions."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.tray import TrayProfile
from components.spec.catalogue.types import Count, Kilowatts
from components.spec.types import Name

Occupant = Literal["compute", "nvlink", "power-shelf", "oob-switch", "pdu"]
"""What stands in a rack unit."""


class Fitted(Model):
    """Items of the catalogue that are built into the rack."""

    model: Name
    """Name of the item."""
    count: Count


class NvLink(Model):
    """The network between the GPUs of one rack."""

    switch_trays: Count
    asics_per_tray: Count
    """Switch chips in each tray."""
    gpus_per_domain: Count
    """GPUs that reach each other's memory; a job that needs this must fit in."""
    links_per_gpu: Count | None = None
    managed_per_tray: Count
    """Processors of a switch tray with an address on the out-of-band network."""


class RackPower(Model):
    """What a full rack draws, kW, without the cooling of the hall."""

    nameplate_kw: Kilowatts | None = None
    """The most it may ever draw: what feeds and breakers are made for."""
    planned_kw: Kilowatts | None = None
    """What it draws at full load in service: what budgets count."""
    typical_kw: Kilowatts | None = None
    """What others publish as typical: to judge public claims by, never to plan with."""
    idle_kw: Kilowatts | None = None
    """Powered on, without work."""
    inrush_kw: Kilowatts | None = None
    """Peak while it is switched on."""
    tray_kw: Kilowatts | None = None
    """Planned share of one tray, where trays are servers that may be fewer than slots."""


class Elevation(Model):
    """Things of one kind that stand one above the other."""

    unit: Annotated[int, Field(ge=1, le=60)]
    """Rack unit of the lowest, from 1 at the floor."""
    what: Occupant
    number: Count
    """Of the lowest: a tray's slot, a shelf's number; those above count on."""
    count: Count = 1
    height_u: Annotated[int, Field(ge=1, le=60)] = 1
    """Of each."""


class RackProfile(CatalogueItem):
    """A kind of rack; servers are described as a rack of as many slots as stand in one."""

    name_key: ClassVar[str] = "profile"

    profile: Name
    """Name that racks refer to; equal to the file's name."""
    slots: Annotated[int, Field(ge=1, le=64)]
    """Compute trays that fit."""
    tray: TrayProfile
    nvlink: NvLink | None = None
    """Absent where GPUs are joined inside a tray only, or not at all."""
    power_shelves: Fitted | None = None
    """Shelves that feed the rack's busbar."""
    pdus: Fitted | None = None
    """Power strips of a rack without a busbar."""
    oob_switches: Fitted | None = None
    """Out-of-band switches inside the rack."""
    units_u: Annotated[int, Field(ge=1, le=60)] | None = None
    """Height, rack units."""
    power: RackPower | None = None
    cooling: Literal["air", "liquid", "hybrid"] | None = None
    """How heat leaves the rack: hybrid is liquid for the chips and air for the rest."""
    weight_kg: Annotated[float, Field(gt=0)] | None = None
    """Of the whole rack."""
    elevation: tuple[Elevation, ...] = ()
    """What stands where, for drawings; nothing is addressed by it."""
    firmware: Name | None = None
    """The firmware baseline that its parts are brought to."""
    bring_up: Name | None = None
    """How its endpoints get from the floor to the hand-over to Ironic; without it, hands do it."""

    @property
    def gpus(self) -> int:
        """Of a full rack."""
        return self.slots * self.tray.gpus
