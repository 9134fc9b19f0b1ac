"""How many switches an InfiniBand network takes, and how many links join them: closed forms.

They give the numbers of the reference tables and say why those hold, so that other sizes follow. The
rules judge a description by them and the plan builds from them; nothing is counted by hand.

Three tiers (QM9700, 64 ports, GB200 NVL72). Table: V, S3 S6 S7. Closed form: D.
    units             1     2     4     8    16
    leaf             32    64   128   256   512      one for each rack and rail: 32 a unit
    spine            24    48    96   192   384      6 for each rail of a unit
    core              -    18    36    72   144      9 a unit, in 6 groups
A leaf has 18 ports down, one a tray, and 18 up: 3 to each of its 6 spines. A spine has 8 leaves x 3 = 24
down and 24 up, all into the core group of its number. A group of an island of N units meets 4N spines,
96N links, so it takes 96N / 64 = 1.5N cores. At N = 16 these are 24: one link for each spine and core.
With more, a spine could not reach every core, so 16 = 64 ports / 4 rails is the limit.

Two tiers (Q3400, 144 ports). Table: V for B300 nodes, S24; by analogy for GB300 NVL72: D, as a unit of
either has 576 ports of GPUs.
    units             1     2     4     8    18
    leaf              8    16    32    64   144      72 down, 72 up
    spine             4     8    18    36    72
A spine has 144 ports, so half as many spines as leaves would do; but a leaf spreads its 72 uplinks evenly,
so their number divides 72: the smallest such that is at least 4 x units. The limit is 144 leaves: 18 units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.spec.catalogue.rack import RackProfile
from components.spec.network import Compute, ScalableUnit
from components.spec.region import Region


@dataclass(frozen=True, kw_only=True, slots=True)
class ComputeShape:
    """One island of a compute network, and the units in it."""

    tiers: Literal[2, 3]
    ports: int
    """Of each switch."""
    unit_racks: int
    slots: int
    """Trays of a rack."""
    rails: int
    """Compute ports of a tray; each rail of a unit has leaves of its own."""
    island_units: int
    racks_per_leaf: int
    """Racks whose trays share a leaf of a rail."""
    leaf_links: int
    """Parallel links of a leaf to each of its spines."""
    spines: int
    """With three tiers, of each rail of a unit; with two, of the island."""
    spine_uplinks: int
    """Links of a spine to its core group; 0 with two tiers."""
    cores_per_group: int
    """0 with two tiers, and where an island has one unit only."""

    @property
    def half(self) -> int:
        """Ports down are numbered from 1, ports up from this + 1."""
        return self.ports // 2

    @property
    def leaves_per_rail(self) -> int:
        """Of each unit."""
        return -(-self.unit_racks // self.racks_per_leaf)

    @property
    def leaves_per_unit(self) -> int:
        """Of all rails."""
        return self.leaves_per_rail * self.rails

    @property
    def spines_per_unit(self) -> int:
        """Built with the unit; 0 with two tiers, where spines belong to the island."""
        return self.spines * self.rails if self.tiers == 3 else 0

    @property
    def spines_per_island(self) -> int:
        """Built with the island; 0 with three tiers."""
        return self.spines if self.tiers == 2 else 0

    @property
    def core_groups(self) -> int:
        """Spine k of every rail and unit has its uplinks in group k."""
        return self.spines if self.cores_per_group else 0

    @property
    def cores_per_island(self) -> int:
        """Always built for all units that the island may have."""
        return self.core_groups * self.cores_per_group


def joins_compute(profile: RackProfile) -> bool:
    """Whether racks of this kind are cabled to the compute network: an NVLink domain with ports to it."""
    return profile.nvlink is not None and bool(profile.tray.rails)


def max_island_units(*, tiers: int, ports: int, unit_racks: int, slots: int, rails: int) -> int:
    """Units that an island can have without a spine that misses a core, or a leaf that misses a spine."""
    if tiers == 3:
        return ports // rails
    return ports // (rails * -(-unit_racks // max(1, ports // 2 // slots)))


def shape_of(compute: Compute, unit: ScalableUnit, ports: int, profile: RackProfile) -> ComputeShape | None:
    """The shape for racks of this kind; None where their unit does not fit the switches, which a rule reports."""
    slots, rails = profile.slots, len(profile.tray.rails)
    half = ports // 2
    if slots > half:
        return None
    if compute.tiers == 2:
        racks_per_leaf = half // slots
        leaves = -(-unit.racks // racks_per_leaf) * rails * unit.island_units
        spines = _divisor(half, -(-leaves // 2))
        leaf_links, spine_uplinks, cores = half // spines if spines else 0, 0, 0
    else:
        racks_per_leaf = 1
        spines = _divisor(slots, -(-unit.racks * slots // half))
        leaf_links = slots // spines if spines else 0
        spine_uplinks = unit.racks * leaf_links
        cores = -(-rails * unit.island_units * spine_uplinks // ports) if unit.island_units > 1 else 0
    if spines is None:
        return None
    return ComputeShape(
        tiers=compute.tiers,
        ports=ports,
        unit_racks=unit.racks,
        slots=slots,
        rails=rails,
        island_units=unit.island_units,
        racks_per_leaf=racks_per_leaf,
        leaf_links=leaf_links,
        spines=spines,
        spine_uplinks=spine_uplinks,
        cores_per_group=cores,
    )


def compute_profile(region: Region) -> RackProfile | None:
    """The kind of rack that the compute network is made for; all that join have the same shape, by a rule."""
    used = {rack.profile for rack in region.racks}
    return next((each for each in region.catalogue.racks if each.profile in used and joins_compute(each)), None)


def _divisor(of: int, least: int) -> int | None:
    """The smallest divisor that is at least this."""
    return next((n for n in range(max(1, least), of + 1) if of % n == 0), None)
