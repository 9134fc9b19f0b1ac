"""Rules on the InfiniBand network: its shape exists, and reaches every unit of an island."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.switch import SwitchProfile
from components.spec.compute_shape import compute_profile, joins_compute, max_island_units, shape_of
from components.spec.network import Compute
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule

_NEEDS = ("compute", "scalable_unit", "racks", "catalogue")


def _built(region: Region) -> tuple[Compute, SwitchProfile, RackProfile] | None:
    """The network, its switch, and the kind of rack that it is made for, where all are known."""
    profile = compute_profile(region)
    switch = region.catalogue.switch(region.compute.switch) if region.compute else None
    return (region.compute, switch, profile) if region.compute and switch and profile else None


@rule("compute-without-racks", *_NEEDS)
def someone_joins(region: Region) -> Iterator[Fault]:
    """A compute network has racks to join.

    Example: `compute` in a region of servers.
    """
    if region.compute and compute_profile(region) is None:
        yield Fault(
            at=("compute",),
            message="no rack of the region has both an NVLink domain and ports to a compute network",
            found=", ".join(sorted({rack.profile for rack in region.racks})),
            allowed=", ".join(each.profile for each in region.catalogue.racks if joins_compute(each)) or "no profile",
            remedy="remove `compute`, or describe such racks",
        )


@rule("compute-racks-differ", *_NEEDS)
def racks_are_alike(region: Region) -> Iterator[Fault]:
    """All racks of the network have as many trays and rails, as the ports of leaves are counted by them.

    Example: racks of 16 trays beside racks of 18.
    """
    first = compute_profile(region)
    if region.compute is None or first is None:
        return
    shape = (first.slots, len(first.tray.rails))
    profiles = {each.profile: each for each in region.catalogue.racks if joins_compute(each)}
    told: set[str] = set()
    for r, rack in enumerate(region.racks):
        other = profiles.get(rack.profile)
        if other is None or (other.slots, len(other.tray.rails)) == shape or other.profile in told:
            continue
        told.add(other.profile)
        yield Fault(
            at=("racks", r, "profile"),
            message=f"one compute network cannot count both these racks and those of {first.profile}",
            found=f"{other.slots} trays x {len(other.tray.rails)} rails",
            allowed=f"{shape[0]} trays x {shape[1]} rails",
            remedy="describe the other racks as a region of their own",
        )


@rule("compute-unit-shape", *_NEEDS)
def units_fit_the_switch(region: Region) -> Iterator[Fault]:
    """A scalable unit can be built without blocking from switches of this kind.

    Example: units of 40 racks with switches of 64 ports.
    """
    if (built := _built(region)) is None:
        return
    compute, switch, profile = built
    half, slots, unit = switch.ports // 2, profile.slots, region.scalable_unit
    if shape_of(compute, unit, switch.ports, profile) or _is_too_many(region, built):
        return
    if slots > half:
        text = f"a leaf of {slots} trays needs {slots} ports down and as many up: {2 * slots} of {switch.ports}"
        remedy = "take switches with more ports"
    else:
        text = (
            f"a spine of a unit has {unit.racks} leaves below it, and {slots} links of each are spread over at most"
            f" {slots} spines: {unit.racks} links down are more than {half} of {switch.ports} ports"
        )
        remedy = "make units smaller, before the region holds anything, or take switches with more ports"
    yield Fault(
        at=("scalable_unit", "racks") if slots <= half else ("compute", "switch"),
        message=f"no non-blocking unit of {profile.profile} can be made of {switch.switch}",
        found=text,
        allowed=f"at most {half} ports down",
        remedy=remedy,
    )


def _is_too_many(region: Region, built: tuple[Compute, SwitchProfile, RackProfile]) -> bool:
    return region.scalable_unit.island_units > _most_units(region, built)


def _most_units(region: Region, built: tuple[Compute, SwitchProfile, RackProfile]) -> int:
    compute, switch, profile = built
    return max_island_units(
        tiers=compute.tiers,
        ports=switch.ports,
        unit_racks=region.scalable_unit.racks,
        slots=profile.slots,
        rails=len(profile.tray.rails),
    )


@rule("compute-island-units", *_NEEDS)
def islands_are_reached(region: Region) -> Iterator[Fault]:
    """An island has no more units than its switches can join: 16 with three tiers of QM9700, 18 with two of Q3400.

    Example: `island_units: 17` with three tiers of QM9700.
    """
    if (built := _built(region)) is None or not _is_too_many(region, built):
        return
    compute, switch, profile = built
    units, most = region.scalable_unit.island_units, _most_units(region, built)
    rails, ports = len(profile.tray.rails), switch.ports
    if compute.tiers == 3:
        why = (
            f"a core group meets one spine of each rail and unit: {units} units x {rails} rails = {units * rails}"
            f" spines, and a core has {ports} ports"
        )
    else:
        leaves = rails * -(-region.scalable_unit.racks // max(1, ports // 2 // profile.slots))
        why = (
            f"a spine meets every leaf: {units} units x {leaves} leaves = {units * leaves}, and a spine has"
            f" {ports} ports"
        )
    yield Fault(
        at=("scalable_unit", "island_units"),
        message=f"{compute.tiers} tiers of {switch.switch} do not reach so many units",
        found=f"{units}: {why}",
        allowed=f"at most {most} units in an island",
        remedy="make more, smaller islands; an island cannot be cut once it holds racks",
    )


@rule("compute-port-speed", *_NEEDS)
def speeds_agree(region: Region) -> Iterator[Fault]:
    """Ports of trays are as fast as those of the leaves, or half of what was paid for is idle.

    Example: trays with 400 Gbit/s on Q3400, which has 800.
    """
    if (built := _built(region)) is None:
        return
    _, switch, _ = built
    used = {rack.profile for rack in region.racks}
    for profile in region.catalogue.racks:
        speeds = {port.speed_gbps for port in profile.tray.rails}
        if profile.profile in used and joins_compute(profile) and speeds != {switch.speed_gbps}:
            yield Fault(
                at=("compute", "switch"),
                message=f"the compute ports of {profile.profile} are not as fast as those of {switch.switch}",
                found=f"{', '.join(f'{speed:g}' for speed in sorted(speeds))} Gbit/s at trays",
                allowed=f"{switch.speed_gbps:g} Gbit/s",
                remedy="take the switch of the same generation",
            )


RULES = (someone_joins, racks_are_alike, units_fit_the_switch, islands_are_reached, speeds_agree)
