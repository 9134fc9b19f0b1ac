"""Rules on the numbers of the out-of-band network: AS numbers, pools, ids of its switches."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.compute_oob import (
    ACCESS_FIRST,
    MAX_GATHERING,
    compute_oob,
    gathering_switches,
    last_access,
    units_and_islands,
)
from components.spec.compute_shape import compute_profile
from components.spec.oob_layout import MAX_AGGREGATION, SWITCHES_PER_RACK, OobKind, rack_switch_number
from components.spec.region import Region
from components.spec.rules.networks.oob import addressed
from components.spec.rules.rule import Fault, rule

_BMCS = (OobKind.TRAY_BMC, OobKind.DPU_BMC, OobKind.NVLINK_BMC, OobKind.POWER_SHELF)
"""What has a baseboard controller; the rest of a rack's addresses are operating systems and PDUs."""


def _last_switch(region: Region) -> tuple[int, int, int]:
    """Greatest number of an out-of-band switch, that of switches, and the greatest rack id that has one."""
    fitted = {each.profile: each.oob_switches.count for each in region.catalogue.racks if each.oob_switches}
    ids = [(rack.id, fitted[rack.profile]) for rack in region.racks if rack.profile in fitted]
    aggregation = region.oob.aggregation if region.oob else 0
    total = aggregation + sum(count for _, count in ids)
    if not ids:
        return aggregation, total, 0
    last, count = max(ids)
    return rack_switch_number(last, count), total, last


@rule("asn-oob-missing", "asns", "oob")
def numbers_are_there(region: Region) -> Iterator[Fault]:
    """A routed out-of-band network has AS numbers.

    Example: `oob` without `asns.oob`.
    """
    if region.oob and region.asns.oob is None:
        yield Fault(
            at=("asns",),
            message="the out-of-band network is routed, and its switches have no AS numbers",
            found="no asns.oob",
            allowed="a range of private AS numbers",
            remedy="add asns.oob",
        )


@rule("asn-oob-range-small", "asns", "oob", "racks", "catalogue")
def numbers_suffice(region: Region) -> Iterator[Fault]:
    """Every out-of-band switch has an AS number of its own; NVIDIA's plan has 100 for them, which is 50 racks.

    Example: 515 switches and 100 numbers.
    """
    asns = region.asns.oob
    if asns is None or region.oob is None:
        return
    number, total, last = _last_switch(region)
    if asns.first + number > asns.last:
        racks = f" + {SWITCHES_PER_RACK} x {last} for rack ids" if last else ""
        kept = MAX_AGGREGATION if last else number
        yield Fault(
            at=("asns", "oob"),
            message=f"{total} out-of-band switches do not have an AS number each",
            found=f"{asns}: {asns.last - asns.first + 1} numbers, the first of them unused",
            allowed=f"{asns.first}-{asns.first + number} or wider: {kept} kept for aggregation{racks}",
            remedy="widen it at its end; moving its first number would change those in use",
        )


@rule("oob-pool-small", "pools", "racks", "catalogue")
def pool_holds_all(region: Region) -> Iterator[Fault]:
    """The racks' pool has an address for everything; a flat one of 17,750 BMCs alone takes a /17.

    Example: 250 racks in a /18.
    """
    oob = region.pools.oob
    profiles = {profile.profile: addressed(profile) for profile in region.catalogue.racks}
    total, bmcs = 0, 0
    for rack in region.racks:
        slots = {tray.slot for tray in rack.trays}
        inside = [item for item in profiles.get(rack.profile, []) if item.slot is None or item.slot in slots]
        total += len(inside)
        bmcs += sum(item.kind in _BMCS for item in inside)
    if total > oob.racks.num_addresses - 2:
        last = max(rack.id for rack in region.racks)
        wide = 32 - ((last << (32 - oob.rack_prefix)) - 1).bit_length()
        yield Fault(
            at=("pools", "oob", "racks"),
            message=f"the racks have {total} out-of-band addresses, and their pool fewer",
            found=f"{oob.racks}: {oob.racks.num_addresses} addresses",
            allowed=f"/{wide}: {last} rack ids x /{oob.rack_prefix}"
            f" (flat, {bmcs} BMCs alone would take a /{32 - (bmcs + 1).bit_length()})",
            remedy="widen it without moving its first address",
        )


@rule("oob-switch-id-taken", "oob", "fabric", "pools", "racks", "catalogue", "compute", "scalable_unit")
def ids_are_free(region: Region) -> Iterator[Fault]:
    """Out-of-band switches outside racks share the pool of management addresses with the fabric's, so ids differ.

    Example: `first_id: 100` where a border leaf has id 104.
    """
    if region.oob is None:
        return
    oob = compute_oob(region)
    # With a compute network, all ids up to its last access switch are kept; without, those of the aggregation.
    kept = ACCESS_FIRST + last_access(region, oob) if oob else region.oob.aggregation
    ids = range(region.oob.first_id, region.oob.first_id + kept)
    taken = [each.name for each in (*region.fabric.spines, *region.fabric.leaves) if each.id in ids]
    size = region.pools.oob.switches.num_addresses - 1
    if taken or ids[-1] > size:
        yield Fault(
            at=("oob", "first_id"),
            message=f"{', '.join(taken[:3])} of the fabric has the id of an out-of-band switch"
            if taken
            else f"pools.oob.switches has no address for out-of-band switch id {ids[-1]}",
            found=f"{ids[0]} to {ids[-1]}",
            allowed=f"ids that no switch of the fabric has, up to {size}",
            remedy="count them from another id, or widen the pool",
        )


@rule("oob-compute-missing", "pools", "compute", "oob", "racks", "catalogue")
def compute_is_managed(region: Region) -> Iterator[Fault]:
    """InfiniBand switches have a pool of management addresses, and a management network that they are plugged in.

    Example: `compute` without `pools.oob.compute_switches`.
    """
    if region.compute is None or compute_profile(region) is None:
        return
    missing = ["oob"] if region.oob is None else []
    missing += ["pools.oob.compute_switches"] if region.pools.oob.compute_switches is None else []
    for key in missing:
        yield Fault(
            at=("compute",),
            message="nothing says how the switches of the compute network are managed",
            found=f"`compute` without `{key}`",
            allowed="both `oob` and `pools.oob.compute_switches`",
            remedy=f"add `{key}`: each InfiniBand switch has a management port",
        )


@rule("oob-compute-pool-small", "pools", "compute", "oob", "racks", "catalogue", "scalable_unit")
def pool_holds_compute(region: Region) -> Iterator[Fault]:
    """The pool has an address for every InfiniBand switch, and its islands' switches are gathered.

    Example: two islands of 1,040 switches in a /22.
    """
    oob, pool = compute_oob(region), region.pools.oob.compute_switches
    if oob is None or pool is None:
        return
    units, islands = units_and_islands(region, oob)
    numbers = [oob.of_unit(unit, oob.unit_switches - 1) for unit in units]
    numbers += [oob.of_island(island, oob.island_switches - 1) for island in islands if oob.island_switches]
    last = max(numbers, default=0)
    if last > pool.num_addresses - 2:
        yield Fault(
            at=("pools", "oob", "compute_switches"),
            message=f"there is no address for compute switch {last}",
            found=f"{pool}: {pool.num_addresses} addresses",
            allowed=f"/{32 - (last + 1).bit_length()} or wider: {oob.shape.island_units} x {oob.unit_switches}"
            f" + {oob.island_switches} switches in each of {len(islands)} islands",
            remedy="widen it without moving its first address",
        )
    if (gathering := gathering_switches(region, oob)) > MAX_GATHERING:
        yield Fault(
            at=("oob", "first_id"),
            message="the management of so many InfiniBand switches takes more gathering switches than have ids",
            found=str(gathering),
            allowed=f"at most {MAX_GATHERING}",
            remedy="have fewer islands, or switches with more ports for management (oob.switch)",
        )


RULES = (numbers_are_there, numbers_suffice, pool_holds_all, ids_are_free, compute_is_managed, pool_holds_compute)
