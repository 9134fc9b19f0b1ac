"""Rules on the size of address pools: they are wide enough for every id."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from components.spec.derive import host_id
from components.spec.position import Location
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


def _too_small(at: Location, pool: str, size: int, id: int, what: str) -> Fault:
    return Fault(
        at=at,
        message=f"pools.{pool} has no address for {what} {id}",
        found=str(id),
        allowed=f"1 to {size}",
        remedy=f"widen pools.{pool} without moving its first address, or take a smaller id",
    )


@rule("switch-pool-small", "pools", "fabric")
def switches_fit(region: Region) -> Iterator[Fault]:
    """The pools of switches have an address for every switch id.

    Example: switch id 16 in a /28.
    """
    pools = region.pools
    sizes = {
        "oob.switches": pools.oob.switches.num_addresses - 1,
        "switch_loopbacks": pools.switch_loopbacks.num_addresses - 1,
    }
    pool = min(sizes, key=lambda name: sizes[name])
    for tier in ("spines", "leaves"):
        for n, switch in enumerate(getattr(region.fabric, tier)):
            if switch.id > sizes[pool]:
                yield _too_small(("fabric", tier, n, "id"), pool, sizes[pool], switch.id, "switch id")


@rule("host-pool-small", "pools", "racks")
def hosts_fit(region: Region) -> Iterator[Fault]:
    """The pools of hosts have an address for every host id; the one that is exhausted first is named.

    Example: host id 8208 in a /19 of loopbacks.
    """
    pools = region.pools
    sizes = {
        **({"oob.hosts": pools.oob.hosts.num_addresses - 1} if pools.oob.hosts else {}),
        **({"host_links": pools.host_links.num_addresses // 2} if pools.host_links else {}),
        "host_loopbacks": pools.host_loopbacks.num_addresses - 1,
        "pods": (pools.pods.num_addresses >> (32 - pools.pod_prefix)) - 1,
    }
    pool = min(sizes, key=lambda name: sizes[name])
    for r, rack in enumerate(region.racks):
        last = max(host_id(rack.id, tray.slot, pools.slots_per_rack) for tray in rack.trays)
        if last > sizes[pool]:
            yield _too_small(("racks", r, "id"), pool, sizes[pool], last, "host id")


@rule("oob-rack-block-missing", "pools", "racks")
def blocks_fit(region: Region) -> Iterator[Fault]:
    """Every rack id has a block of management addresses.

    Example: rack id 3 where the pool has two blocks.
    """
    oob = region.pools.oob
    blocks = oob.racks.num_addresses >> (32 - oob.rack_prefix) if oob.rack_prefix >= oob.racks.prefixlen else 0
    for r, rack in enumerate(region.racks):
        if rack.id > blocks:
            yield _too_small(("racks", r, "id"), "oob.racks", blocks, rack.id, f"/{oob.rack_prefix} of rack")


@rule("oob-broadcast", "pools", "racks", "fabric")
def no_broadcast(region: Region) -> Iterator[Fault]:
    """The last address of the out-of-band network belongs to no device.

    Example: a BMC at 172.30.0.255 of 172.30.0.0/24.
    """
    pools = region.pools
    last = pools.oob.network.broadcast_address
    used: list[tuple[Location, IPv4Network, int]] = []
    for tier in ("spines", "leaves"):
        for n, switch in enumerate(getattr(region.fabric, tier)):
            used.append((("fabric", tier, n, "id"), pools.oob.switches, switch.id))
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            id = host_id(rack.id, tray.slot, pools.slots_per_rack)
            if pools.oob.hosts:
                used.append((("racks", r, "trays", t, "slot"), pools.oob.hosts, id))
            block = (rack.id - 1) << (32 - pools.oob.rack_prefix)
            used.append((("racks", r, "trays", t, "slot"), pools.oob.racks, block + tray.slot))
    for location, part, id in used:
        if int(part.network_address) + id == int(last):
            yield Fault(
                at=location,
                message="its out-of-band address would be the network's broadcast address",
                found=str(last),
                allowed=f"an address below {last}",
                remedy="use another id or slot, or move the part of the network",
            )


@rule("edge-pool-small", "pools", "fabric")
def edges_fit(region: Region) -> Iterator[Fault]:
    """The pool of edge links has a /31 for every edge id.

    Example: edge id 9 in a /28.
    """
    size = region.pools.edge_links.num_addresses // 2
    for n, leaf in enumerate(region.fabric.leaves):
        if leaf.edge and leaf.edge.id > size:
            yield _too_small(("fabric", "leaves", n, "edge", "id"), "edge_links", size, leaf.edge.id, "edge id")


def _vips(region: Region) -> list[tuple[Location, int]]:
    vips: list[tuple[Location, int]] = [(("runtime", "gateway", "vip_id"), region.runtime.gateway.vip_id)]
    if region.cluster.api_vip_id is not None:
        vips.append((("cluster", "api_vip_id"), region.cluster.api_vip_id))
    return vips


@rule("vip-outside-pool", "pools", "runtime", "cluster")
def vips_fit(region: Region) -> Iterator[Fault]:
    """The pool of service addresses has one for the gateway and one for the API.

    Example: `vip_id: 16` in a /28.
    """
    size = region.pools.service_vips.num_addresses - 1
    for location, vip in _vips(region):
        if vip > size:
            yield _too_small(location, "service_vips", size, vip, "VIP id")


@rule("vip-duplicate", "runtime", "cluster")
def vips_differ(region: Region) -> Iterator[Fault]:
    """The API and the gateway have different addresses, as different hosts announce them.

    Example: `api_vip_id: 1` and `vip_id: 1`.
    """
    vips = _vips(region)
    if len(vips) == 2 and vips[0][1] == vips[1][1]:
        yield Fault(
            at=vips[1][0],
            message="the API and the gateway cannot share an address: different hosts announce them",
            found=str(vips[1][1]),
            allowed="an id of its own",
            remedy="take a free id",
        )


RULES = (
    switches_fit,
    hosts_fit,
    blocks_fit,
    no_broadcast,
    edges_fit,
    vips_fit,
    vips_differ,
)
