"""Rules on the numbers of the out-of-band network: AS numbers, pools, ids of its switches."""

from __future__ import annotations

from collections.abc import Iterator

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


@rule("oob-switch-id-taken", "oob", "fabric", "pools")
def ids_are_free(region: Region) -> Iterator[Fault]:
    """Aggregation switches share the pool of management addresses with the fabric's, so their ids differ.

    Example: `first_id: 100` where a border leaf has id 104.
    """
    if region.oob is None:
        return
    ids = range(region.oob.first_id, region.oob.first_id + region.oob.aggregation)
    taken = [each.name for each in (*region.fabric.spines, *region.fabric.leaves) if each.id in ids]
    size = region.pools.oob.switches.num_addresses - 1
    if taken or ids[-1] > size:
        yield Fault(
            at=("oob", "first_id"),
            message=f"{', '.join(taken[:3])} of the fabric has the id of an aggregation switch"
            if taken
            else f"pools.oob.switches has no address for aggregation switch id {ids[-1]}",
            found=f"{ids[0]} to {ids[-1]}",
            allowed=f"ids that no switch of the fabric has, up to {size}",
            remedy="count them from another id, or widen the pool",
        )


RULES = (numbers_are_there, numbers_suffice, pool_holds_all, ids_are_free)
