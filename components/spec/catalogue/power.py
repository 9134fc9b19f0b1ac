"""Power units: shelves and strips that feed racks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.types import Count, Kilowatts
from components.spec.types import Name


class PowerUnit(CatalogueItem):
    """A kind of power shelf or power strip."""

    name_key: ClassVar[str] = "power_unit"

    power_unit: Name
    """Name that rack profiles refer to; equal to the file's name."""
    kind: Literal["shelf", "pdu"]
    """A shelf turns alternating current into the busbar's direct current; a PDU passes it on."""
    kw: Kilowatts
    """What it can give."""
    supplies: Count | None = None
    """Power supplies in a shelf."""
    supply_kw: Kilowatts | None = None
    """What each of them can give."""
    phases: Literal[1, 3] | None = None
    """Of its input."""
    volts: Annotated[int, Field(ge=100, le=1000)] | None = None
    """Of its input, between phases."""
    amperes: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Of its input, for each phase."""
    is_managed: bool
    """Whether it has an address on the out-of-band network."""
    makers: tuple[str, ...] = ()
    """Who makes it."""
