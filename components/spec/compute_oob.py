"""Management of the compute network: the number of each of its switches, and the out-of-band port it is plugged in.

Both follow from a switch's own unit or island. Each unit, and each island beside its units, has out-of-band
switches of its own next to the compute switches, as many as their management ports need; these are called access
switches. So a unit that comes later moves nothing. One port of an access switch is its uplink. A unit of GB200
racks has 56 compute switches on 2 access switches, and an island 144 cores on 4: 72 in two islands of 16 units.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.spec.catalogue.switch import SwitchProfile
from components.spec.compute_shape import ComputeShape, compute_profile, shape_of
from components.spec.oob_layout import MAX_AGGREGATION, uplink_port
from components.spec.region import Region

MAX_GATHERING = 16
"""Ids after those of the racks' aggregation; kept for the switches that gather the access switches."""

GATHERING_FIRST = MAX_AGGREGATION
ACCESS_FIRST = GATHERING_FIRST + MAX_GATHERING
"""Ids count from `oob.first_id` + these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComputeOob:
    """How the compute switches of every unit and island are numbered and plugged."""

    shape: ComputeShape
    ports: int
    """Devices that an access switch serves: its main ports, less the uplink where that is one of them."""
    gathering_ports: int
    """Access switches that one gathering switch serves."""

    @property
    def unit_switches(self) -> int:
        """Compute switches built with a unit."""
        return self.shape.leaves_per_unit + self.shape.spines_per_unit

    @property
    def island_switches(self) -> int:
        """Compute switches built with an island."""
        return self.shape.spines_per_island + self.shape.cores_per_island

    @property
    def unit_access(self) -> int:
        """Access switches of a unit."""
        return -(-self.unit_switches // self.ports)

    @property
    def island_access(self) -> int:
        """Access switches of an island, beside those of its units."""
        return -(-self.island_switches // self.ports)

    def of_unit(self, unit: int, index: int) -> int:
        """Number of compute switch `index` (from 0) of a unit among all compute switches, from 1."""
        return self._unit(unit, self.unit_switches, self.island_switches) + index + 1

    def of_island(self, island: int, index: int) -> int:
        """Number of compute switch `index` of an island."""
        return self._island(island, self.unit_switches, self.island_switches) + index + 1

    def access_of_unit(self, unit: int, n: int) -> int:
        """Number of access switch n (from 1) of a unit among all access switches, from 1."""
        return self._unit(unit, self.unit_access, self.island_access) + n

    def access_of_island(self, island: int, n: int) -> int:
        """Number of access switch n of an island."""
        return self._island(island, self.unit_access, self.island_access) + n

    def plug(self, index: int) -> tuple[int, int]:
        """Access switch (from 1, of the unit or island) and its port for compute switch `index`."""
        switch, port = divmod(index, self.ports)
        return switch + 1, port + 1

    def gathered(self, access: int) -> tuple[int, int]:
        """Gathering switch and its port for an access switch, both from 1."""
        switch, port = divmod(access - 1, self.gathering_ports)
        return switch + 1, port + 1

    def _unit(self, unit: int, each: int, rest: int) -> int:
        island, within = divmod(unit - 1, self.shape.island_units)
        return island * (self.shape.island_units * each + rest) + within * each

    def _island(self, island: int, each: int, rest: int) -> int:
        return island * (self.shape.island_units * each + rest) - rest


def compute_oob(region: Region) -> ComputeOob | None:
    """None without a compute network, without an out-of-band network of switches, or where a rule tells why not."""
    profile = compute_profile(region)
    switch = region.catalogue.switch(region.compute.switch) if region.compute else None
    access = region.catalogue.switch(region.oob.switch) if region.oob else None
    if region.compute is None or profile is None or switch is None or access is None:
        return None
    shape = shape_of(region.compute, region.scalable_unit, switch.ports, profile)
    if shape is None:
        return None
    return ComputeOob(shape=shape, ports=devices_of(access), gathering_ports=access.ports)


def devices_of(access: SwitchProfile) -> int:
    """Main ports of an access switch that are left for devices."""
    return access.ports - (1 if uplink_port(access, access) <= access.ports else 0)


def units_and_islands(region: Region, oob: ComputeOob) -> tuple[list[int], list[int]]:
    """In which a rack joins the compute network."""
    kinds = {each.profile for each in region.catalogue.racks if each.nvlink is not None and each.tray.rails}
    units = sorted({(rack.id - 1) // oob.shape.unit_racks + 1 for rack in region.racks if rack.profile in kinds})
    return units, sorted({(unit - 1) // oob.shape.island_units + 1 for unit in units})


def last_access(region: Region, oob: ComputeOob) -> int:
    """The greatest number of an access switch; 0 where no rack joins the compute network."""
    units, islands = units_and_islands(region, oob)
    numbers = [oob.access_of_unit(unit, oob.unit_access) for unit in units if oob.unit_access]
    numbers += [oob.access_of_island(island, oob.island_access) for island in islands if oob.island_access]
    return max(numbers, default=0)


def gathering_switches(region: Region, oob: ComputeOob) -> int:
    """How many gather the access switches: all up to the one that serves the last."""
    last = last_access(region, oob)
    return oob.gathered(last)[0] if last else 0
