"""Switch profiles."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.types import Count, GigabitPerSecond, Kilowatts
from components.spec.types import Name

PortPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9/]*(\{(port|cage|lane)\}[A-Za-z0-9/]*)+$")]
"""How a port is called: `{port}`, `{cage}` and `{lane}` stand for numbers from 1."""


class Breakout(Model):
    """A way to split one port into slower ones."""

    lanes: Annotated[int, Field(ge=2, le=8)]
    """Ports that it becomes."""
    speed_gbps: GigabitPerSecond
    """Of each."""


class PortGroup(Model):
    """Ports of another speed, numbered after the first ones."""

    count: Count
    speed_gbps: GigabitPerSecond


class SwitchProfile(CatalogueItem):
    """A kind of switch."""

    name_key: ClassVar[str] = "switch"

    switch: Name
    """Name that networks refer to; equal to the file's name."""
    kind: Literal["ethernet", "infiniband", "nvlink", "oob"]
    """Which network it is made for: oob is slow Ethernet for management."""
    ports: Count
    """Main ports, at `speed_gbps`."""
    speed_gbps: GigabitPerSecond
    ports_per_cage: Annotated[int, Field(ge=1, le=8)] = 1
    """Main ports that one connector on the front holds."""
    uplinks: PortGroup | None = None
    """Faster ports to other switches, numbered after the main ones."""
    breakouts: tuple[Breakout, ...] = ()
    port_name: PortPattern
    """Name of a whole port in the switch's operating system."""
    lane_name: PortPattern | None = None
    """Name of a part of a split port."""
    os: Annotated[tuple[str, ...], Field(min_length=1)]
    """Operating systems that run on it: frr, cumulus, sonic, mlnx-os, nvos."""
    units_u: Annotated[int, Field(ge=1, le=60)] | None = None
    """Height, rack units."""
    power_kw: Kilowatts | None = None
    """The most it may draw, optical modules included: what budgets count, as nothing holds a switch below it."""
    typical_kw: Kilowatts | None = None
    """In service, optical modules included: to judge the bill of energy by, never to plan with."""
    weight_kg: Annotated[float, Field(gt=0)] | None = None

    @property
    def all_ports(self) -> int:
        """Main ports and uplinks."""
        return self.ports + (self.uplinks.count if self.uplinks else 0)
