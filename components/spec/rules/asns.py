"""Rules on AS numbers: by them, BGP tells a path from a loop."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from components.spec.asn import AsnRange
from components.spec.derive import host_id
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


@rule("asn-overlap", "asns")
def apart(region: Region) -> Iterator[Fault]:
    """The AS numbers of spines, leaves, hosts and out-of-band switches have no number in common.

    Example: `leaf: 65100-65199` and `host: 65150-65299`.
    """
    asns = region.asns
    ranges = (("spine", asns.spine), ("leaf", asns.leaf), ("host", asns.host), ("oob", asns.oob))
    tiers = sorted(((tier, r) for tier, r in ranges if r), key=lambda t: (t[1].first, t[1].last))
    for (lower, before), (upper, after) in pairwise(tiers):
        if before.overlaps(after):
            yield Fault(
                at=("asns", upper),
                message=f"these AS numbers overlap those of asns.{lower}",
                found=f"{after} and {before}",
                allowed="ranges that have no number in common",
                remedy="move one of them: a switch takes a path with its own number for a loop",
            )


@rule("asn-spine-range", "asns")
def one_for_spines(region: Region) -> Iterator[Fault]:
    """All spines share one AS number, so that a path never goes up twice.

    Example: `spine: 65000-65001`.
    """
    spine = region.asns.spine
    if spine.first != spine.last:
        yield Fault(
            at=("asns", "spine"),
            message="all spines share one AS number",
            found=str(spine),
            allowed="one number",
            remedy="with one number, a path that went up never goes up again; keep the first",
        )


def _small(tier: str, asns: AsnRange, needed: int, what: str) -> Fault:
    return Fault(
        at=("asns", tier),
        message=f"the range has no number for {what}",
        found=str(asns),
        allowed=f"{asns.first}-{asns.first + needed} or wider",
        remedy="widen it at its end; moving its first number would change those in use",
    )


@rule("asn-leaf-range-small", "asns", "fabric")
def leaves_fit(region: Region) -> Iterator[Fault]:
    """The range of the leaves has a number for the greatest id of a leaf.

    Example: `leaf: 65100-65103` with a leaf of id 4.
    """
    asns, last = region.asns.leaf, max(leaf.id for leaf in region.fabric.leaves)
    if asns.first + last > asns.last:
        yield _small("leaf", asns, last, f"leaf id {last}")


@rule("asn-host-range-small", "asns", "racks", "pools")
def hosts_fit(region: Region) -> Iterator[Fault]:
    """The range of the hosts has a number for the greatest host id.

    Example: `host: 65200-65203` with four hosts.
    """
    slots = region.pools.slots_per_rack
    asns = region.asns.host
    last = max(host_id(rack.id, tray.slot, slots) for rack in region.racks for tray in rack.trays)
    if asns.first + last > asns.last:
        yield _small("host", asns, last, f"host id {last}")


RULES = (apart, one_for_spines, leaves_fit, hosts_fit)
