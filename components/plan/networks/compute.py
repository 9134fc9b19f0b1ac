"""The InfiniBand network: its switches, and every cable, from closed forms (components.spec.compute_shape).

A cable's ends follow from the unit, rack, rail and tray alone. Cores, and the spines of two tiers, are built
for all units that an island may have, so that a unit that comes later finds its ports free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.plan.model import RackPlan
from components.plan.naming import compute_core_name, compute_leaf_name, compute_spine_name, island_spine_name
from components.plan.networks.model import CableRun, ComputePlan, ComputeSwitch, Network, NetworkCable, Rail, Tier
from components.plan.networks.runs import Spots, run_between
from components.spec.catalogue.derive import port_name
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.switch import SwitchProfile
from components.spec.compute_shape import ComputeShape, compute_profile, joins_compute, shape_of
from components.spec.region import Region


@dataclass(frozen=True)
class _Builder:
    """What every cable needs."""

    region: str
    shape: ComputeShape
    ports: tuple[str, ...]
    """Names of a switch's ports; index 0 is unused, as ports are counted from 1."""
    rails: Sequence[str]
    """Ports of a tray, by rail."""
    spots: Spots

    def island_of(self, unit: int) -> int:
        return (unit - 1) // self.shape.island_units + 1

    def leaf(self, unit: int, rail: int, n: int) -> str:
        return compute_leaf_name(self.region, unit, rail, n)


def compile_compute(
    region: Region, racks: Sequence[RackPlan], spots: Spots
) -> tuple[ComputePlan | None, Iterator[NetworkCable]]:
    """The network, and its cables as they are asked for."""
    profile = compute_profile(region)
    switch = region.catalogue.switch(region.compute.switch) if region.compute else None
    if region.compute is None or profile is None or switch is None:
        return None, iter(())
    shape = shape_of(region.compute, region.scalable_unit, switch.ports, profile)
    if shape is None:
        raise ValueError(f"a unit of {profile.profile} does not fit {switch.switch}")
    profiles = {each.profile for each in region.catalogue.racks if joins_compute(each)}
    joined = [rack for rack in racks if rack.profile in profiles]
    units = tuple(sorted({(rack.id - 1) // shape.unit_racks + 1 for rack in joined}))
    builder = _builder(region, shape, switch, profile, spots)
    islands = tuple(sorted({builder.island_of(unit) for unit in units}))
    plan = ComputePlan(
        model=switch.switch,
        speed_gbps=switch.speed_gbps,
        mtu=region.compute.mtu,
        ports=builder.ports[1:],
        rails=tuple(
            Rail(number=number, port=port.name, device=port.device) for number, port in enumerate(profile.tray.rails)
        ),
        shape=shape,
        islands=islands,
        units=units,
        racks=tuple(rack.name for rack in joined),
        switches=tuple(_switches(builder, units, islands)),
    )
    return plan, _cables(builder, joined, units)


def _builder(
    region: Region, shape: ComputeShape, switch: SwitchProfile, profile: RackProfile, spots: Spots
) -> _Builder:
    return _Builder(
        region=region.region,
        shape=shape,
        ports=("", *(port_name(switch, n) for n in range(1, switch.ports + 1))),
        rails=tuple(port.name for port in profile.tray.rails),
        spots=spots,
    )


def _switches(of: _Builder, units: Sequence[int], islands: Sequence[int]) -> Iterator[ComputeSwitch]:
    shape = of.shape
    for unit in units:
        island = of.island_of(unit)
        for rail in range(shape.rails):
            for n in range(1, shape.leaves_per_rail + 1):
                name = of.leaf(unit, rail, n)
                yield ComputeSwitch(
                    name=name, tier=Tier.LEAF, island=island, unit=unit, rail=rail, group=None, number=n
                )
            for n in range(1, shape.spines + 1 if shape.tiers == 3 else 1):
                name = compute_spine_name(of.region, unit, rail, n)
                yield ComputeSwitch(name=name, tier=Tier.SPINE, island=island, unit=unit, rail=rail, group=n, number=n)
    for island in islands:
        for n in range(1, shape.spines_per_island + 1):
            name = island_spine_name(of.region, island, n)
            yield ComputeSwitch(name=name, tier=Tier.SPINE, island=island, unit=None, rail=None, group=None, number=n)
        for group in range(1, shape.core_groups + 1):
            for n in range(1, shape.cores_per_group + 1):
                name = compute_core_name(of.region, island, group, n)
                yield ComputeSwitch(
                    name=name, tier=Tier.CORE, island=island, unit=None, rail=None, group=group, number=n
                )


def _cables(of: _Builder, racks: Sequence[RackPlan], units: Sequence[int]) -> Iterator[NetworkCable]:
    yield from _tray_cables(of, racks)
    for unit in units:
        if of.shape.tiers == 3:
            yield from _leaf_to_unit_spine(of, unit)
            if of.shape.cores_per_group:
                yield from _spine_to_core(of, unit)
        else:
            yield from _leaf_to_island_spine(of, unit)


def _tray_cables(of: _Builder, racks: Sequence[RackPlan]) -> Iterator[NetworkCable]:
    """Rail g of every tray to a leaf of rail g; slot by slot, rack after rack where racks share a leaf."""
    shape = of.shape
    places = {place.rack: place for place in of.spots.topology.racks}
    for rack in racks:
        unit, position = divmod(rack.id - 1, shape.unit_racks)
        leaf, within = divmod(position, shape.racks_per_leaf)
        run = run_between(of.spots.rack(places[rack.name]), of.spots.unit(unit + 1))
        for rail, plug in enumerate(of.rails):
            name = of.leaf(unit + 1, rail, leaf + 1)
            for host in rack.hosts:
                yield NetworkCable(
                    a_device=host.name,
                    a_port=plug,
                    b_device=name,
                    b_port=of.ports[within * shape.slots + host.slot],
                    network=Network.COMPUTE,
                    rail=rail,
                    run=run,
                )


def _leaf_to_unit_spine(of: _Builder, unit: int) -> Iterator[NetworkCable]:
    """Three tiers: every leaf of a rail has the same number of links to every spine of its rail and unit."""
    shape, here = of.shape, of.spots.unit(unit)
    run = run_between(here, here)
    for rail in range(shape.rails):
        spines = [compute_spine_name(of.region, unit, rail, n) for n in range(1, shape.spines + 1)]
        yield from _leaf_to_spines(of, unit, rail, spines, before=0, run=run)


def _spine_to_core(of: _Builder, unit: int) -> Iterator[NetworkCable]:
    """Spine k of any rail and unit has its uplinks in core group k, dealt out to the cores in turn.

    The links of a group are counted through, spine after spine: link i goes to core i mod C, port i / C. So
    every core gets as many, and no spine has two more links to one core than to another.
    """
    shape, island = of.shape, of.island_of(unit)
    run = run_between(of.spots.unit(unit), of.spots.island(island))
    cores = {
        group: [compute_core_name(of.region, island, group, n) for n in range(1, shape.cores_per_group + 1)]
        for group in range(1, shape.core_groups + 1)
    }
    before = (unit - 1) % shape.island_units * shape.rails
    for rail in range(shape.rails):
        first = (before + rail) * shape.spine_uplinks
        for group, members in cores.items():
            spine = compute_spine_name(of.region, unit, rail, group)
            for link in range(shape.spine_uplinks):
                port, core = divmod(first + link, shape.cores_per_group)
                yield NetworkCable(
                    a_device=spine,
                    a_port=of.ports[shape.half + 1 + link],
                    b_device=members[core],
                    b_port=of.ports[port + 1],
                    network=Network.COMPUTE,
                    rail=None,
                    run=run,
                )


def _leaf_to_island_spine(of: _Builder, unit: int) -> Iterator[NetworkCable]:
    """Two tiers: every leaf has the same number of links to every spine of its island."""
    shape, island = of.shape, of.island_of(unit)
    run = run_between(of.spots.unit(unit), of.spots.island(island))
    spines = [island_spine_name(of.region, island, n) for n in range(1, shape.spines + 1)]
    before = (unit - 1) % shape.island_units * shape.leaves_per_unit
    for rail in range(shape.rails):
        yield from _leaf_to_spines(of, unit, rail, spines, before=before + rail * shape.leaves_per_rail, run=run)


def _leaf_to_spines(
    of: _Builder, unit: int, rail: int, spines: Sequence[str], *, before: int, run: CableRun
) -> Iterator[NetworkCable]:
    """The leaves of a rail to all of these spines, which have so many leaves before them."""
    shape = of.shape
    for n in range(shape.leaves_per_rail):
        leaf = of.leaf(unit, rail, n + 1)
        for k, spine in enumerate(spines):
            for link in range(1, shape.leaf_links + 1):
                yield NetworkCable(
                    a_device=leaf,
                    a_port=of.ports[shape.half + k * shape.leaf_links + link],
                    b_device=spine,
                    b_port=of.ports[(before + n) * shape.leaf_links + link],
                    network=Network.COMPUTE,
                    rail=rail,
                    run=run,
                )
