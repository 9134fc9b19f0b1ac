"""What a kind of endpoint is made of, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lab.fleet.kinds import Kind


class Activation(StrEnum):
    """What makes a pushed version the running one."""

    HOST = "host reset"
    BMC = "BMC reset"
    AUX = "auxiliary power cycle"


@dataclass(frozen=True, slots=True)
class Component:
    """Something that carries firmware."""

    id: str
    """In `UpdateService/FirmwareInventory`."""
    version: str
    """As delivered."""
    activation: Activation = Activation.AUX
    identifier: int | None = None
    """PLDM component identifier, by which a package names it; none: it cannot be pushed over this BMC."""


@dataclass(frozen=True, slots=True)
class Sensors:
    """How many sensors of each sort a chassis has."""

    temperature: int = 0
    fan: int = 0
    power: int = 0
    current: int = 0
    voltage: int = 0


@dataclass(frozen=True, slots=True)
class Chassis:
    """A chassis resource."""

    id: str
    type: str
    model: str
    manufacturer: str = "NVIDIA"
    part_number: str | None = None
    serial: str | None = None
    """Of its own; `{serial}` in it stands for the endpoint's."""
    assembly: bool = False
    """Whether an Assembly tells the serial."""
    sensors: Sensors = Sensors()
    leak_detectors: int = 0
    power_supplies: int = 0
    aux_cycle: bool = False
    """Whether it has the action that cycles auxiliary power."""
    cartridge: bool = False
    """Whether it is a cable cartridge, which knows the tray's place in the rack."""


@dataclass(frozen=True, slots=True)
class Processor:
    """A CPU or a GPU."""

    id: str
    type: str
    model: str
    cores: int | None = None


@dataclass(frozen=True, slots=True)
class Computer:
    """A system resource."""

    id: str
    model: str
    chassis: str
    manufacturer: str = "NVIDIA"
    serial: bool = False
    """Whether it tells the endpoint's serial."""
    resets: bool = False
    """Whether it is the one that can be switched on and off."""
    bios: Mapping[str, str | bool] | None = None
    """Attributes as delivered."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Values allowed of attributes that are no booleans."""
    boot: bool = False
    """Whether boot order and override can be set, on its Settings resource."""
    secure_boot: bool = False
    processors: tuple[Processor, ...] = ()
    memory_gib: float | None = None
    interfaces: Mapping[str, int] = field(default_factory=dict[str, int])
    """Network interface -> which of the endpoint's MACs it has."""
    oem: bool = False
    """Whether it has the OEM part of a BlueField: mode and actions."""


@dataclass(frozen=True, slots=True)
class Manager:
    """A manager resource."""

    id: str
    component: str
    """The firmware that it runs."""
    model: str
    computers: tuple[str, ...]
    chassis: str
    interfaces: tuple[str, ...] = ()
    oem: bool = False
    """Whether it has the OEM part of a BlueField: rshim."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A kind of endpoint."""

    kind: Kind
    product: str
    computers: tuple[Computer, ...]
    managers: tuple[Manager, ...]
    chassis: tuple[Chassis, ...]
    components: tuple[Component, ...]
    starts_on: bool
    """Whether its host is on when it is delivered and plugged in."""

    @property
    def computer(self) -> Computer:
        """The one that can be switched on and off."""
        return next(c for c in self.computers if c.resets)

    def component(self, identifier: int) -> Component | None:
        return next((c for c in self.components if c.identifier == identifier), None)
