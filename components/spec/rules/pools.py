"""Rules on address pools: apart from each other, and wide enough for every id."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from components.spec.derive import host_id
from components.spec.network import Pools
from components.spec.position import Location, text_of
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule

_APART = ("switch_loopbacks", "host_loopbacks", "service_vips", "edge_links", "host_links", "pods", "services")
_OOB_PARTS = ("switches", "hosts", "racks")
MIN_SERVICES = 24
"""Length of the smallest service network: the cluster's DNS has its tenth address."""


def _networks(pools: Pools) -> list[tuple[Location, IPv4Network]]:
    networks: list[tuple[Location, IPv4Network]] = [
        (("pools", name), network) for name in _APART if (network := getattr(pools, name)) is not None
    ]
    return [(("pools", "oob", "network"), pools.oob.network), *networks]


def _oob_parts(pools: Pools) -> list[tuple[Location, IPv4Network]]:
    return [
        (("pools", "oob", name), network) for name in _OOB_PARTS if (network := getattr(pools.oob, name)) is not None
    ]


def _overlaps(networks: list[tuple[Location, IPv4Network]]) -> Iterator[Fault]:
    """In the order of addresses, an overlap shows between a network and the widest one before it."""
    ordered = sorted(networks, key=lambda item: (item[1].network_address, item[1].prefixlen))
    widest = ordered[0]
    for location, network in ordered[1:]:
        if network.overlaps(widest[1]):
            yield Fault(
                at=location,
                message=f"this pool overlaps {text_of(widest[0])}",
                found=f"{network} and {widest[1]}",
                allowed="pools that have no address in common",
                remedy="move one of them; addresses in use follow their pool, so rather the newer one",
            )
        elif network.broadcast_address > widest[1].broadcast_address:
            widest = (location, network)


@rule("pool-overlap", "pools")
def apart(region: Region) -> Iterator[Fault]:
    yield from _overlaps(_networks(region.pools))


@rule("oob-part-overlap", "pools")
def oob_parts_apart(region: Region) -> Iterator[Fault]:
    yield from _overlaps(_oob_parts(region.pools))


@rule("oob-part-outside", "pools")
def oob_parts_inside(region: Region) -> Iterator[Fault]:
    network = region.pools.oob.network
    for location, part in _oob_parts(region.pools):
        if not part.subnet_of(network):
            yield Fault(
                at=location,
                message="this part lies outside the out-of-band network",
                found=str(part),
                allowed=f"a network within {network}",
                remedy="move the part, or widen pools.oob.network",
            )


@rule("gateway-outside-network", "pools")
def gateway_inside(region: Region) -> Iterator[Fault]:
    oob = region.pools.oob
    if oob.gateway not in oob.network or oob.gateway in (oob.network[0], oob.network[-1]):
        yield Fault(
            at=("pools", "oob", "gateway"),
            message="the gateway is no host address of the out-of-band network",
            found=str(oob.gateway),
            allowed=f"{oob.network[1]} to {oob.network[-2]}",
            remedy="correct the address or the network",
        )


@rule("gateway-in-pool", "pools")
def gateway_apart(region: Region) -> Iterator[Fault]:
    gateway = region.pools.oob.gateway
    for location, part in _oob_parts(region.pools):
        if gateway in part:
            yield Fault(
                at=("pools", "oob", "gateway"),
                message=f"the gateway lies in {text_of(location)}, so a device will get its address",
                found=str(gateway),
                allowed=f"an address outside {part}",
                remedy="move one of them",
            )


@rule("service-address-in-pool", "pools", "services")
def services_apart(region: Region) -> Iterator[Fault]:
    services = region.services
    addresses: list[tuple[Location, IPv4Address]] = [(("services", "address"), services.address)]
    addresses += [(("services", "ntp", n), address) for n, address in enumerate(services.ntp)]
    addresses += [(("services", "dns", n), address) for n, address in enumerate(services.dns)]
    for location, address in addresses:
        for part_location, part in _oob_parts(region.pools):
            if address in part:
                yield Fault(
                    at=location,
                    message=f"the address lies in {text_of(part_location)}, so a device will get it too",
                    found=str(address),
                    allowed=f"an address outside {part}",
                    remedy="move one of them",
                )


@rule("services-network-small", "pools")
def services_wide(region: Region) -> Iterator[Fault]:
    network = region.pools.services
    if network.prefixlen > MIN_SERVICES:
        yield Fault(
            at=("pools", "services"),
            message="the service network is too small for a cluster",
            found=str(network),
            allowed=f"a prefix length of at most {MIN_SERVICES}",
            remedy="widen it now: it cannot change while the cluster lives",
        )


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
    """One fault for each rack: the pool that is exhausted first is named."""
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
    """Every rack id has a block of management addresses."""
    oob = region.pools.oob
    blocks = oob.racks.num_addresses >> (32 - oob.rack_prefix) if oob.rack_prefix >= oob.racks.prefixlen else 0
    for r, rack in enumerate(region.racks):
        if rack.id > blocks:
            yield _too_small(("racks", r, "id"), "oob.racks", blocks, rack.id, f"/{oob.rack_prefix} of rack")


@rule("oob-broadcast", "pools", "racks", "fabric")
def no_broadcast(region: Region) -> Iterator[Fault]:
    """The last address of the out-of-band network belongs to no device."""
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
    size = region.pools.service_vips.num_addresses - 1
    for location, vip in _vips(region):
        if vip > size:
            yield _too_small(location, "service_vips", size, vip, "VIP id")


@rule("vip-duplicate", "runtime", "cluster")
def vips_differ(region: Region) -> Iterator[Fault]:
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
    apart,
    oob_parts_apart,
    oob_parts_inside,
    gateway_inside,
    gateway_apart,
    services_apart,
    services_wide,
    switches_fit,
    hosts_fit,
    blocks_fit,
    no_broadcast,
    edges_fit,
    vips_fit,
    vips_differ,
)
