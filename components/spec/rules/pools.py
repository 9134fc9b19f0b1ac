"""Rules on address pools: they are apart from each other, and nothing is in another's."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from components.spec.network import Pools
from components.spec.position import Location, text_of
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule

_APART = ("switch_loopbacks", "host_loopbacks", "service_vips", "edge_links", "host_links", "pods", "services")
_OOB_PARTS = ("switches", "hosts", "racks", "compute_switches")
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
    """Address pools have no address in common.

    Example: pods in 10.0.0.0/8 with loopbacks in 10.255.0.0/24.
    """
    yield from _overlaps(_networks(region.pools))


@rule("oob-part-overlap", "pools")
def oob_parts_apart(region: Region) -> Iterator[Fault]:
    """The parts of the out-of-band network have no address in common.

    Example: racks in the part of the hosts.
    """
    yield from _overlaps(_oob_parts(region.pools))


@rule("oob-part-outside", "pools")
def oob_parts_inside(region: Region) -> Iterator[Fault]:
    """The parts of the out-of-band network lie within it.

    Example: racks in 172.30.1.0/25 of 172.30.0.0/24.
    """
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
    """The gateway is a host address of the out-of-band network.

    Example: gateway 172.30.9.1 of 172.30.0.0/24.
    """
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
    """The gateway is in no part of the network whose addresses devices get.

    Example: gateway 172.30.0.20, where switches count from 172.30.0.16.
    """
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
    """Addresses of the region's services are in no part of the network whose addresses devices get.

    Example: a time server at the address of a host.
    """
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
    """The network of Kubernetes services is a /24 or wider.

    Example: `services: 10.96.0.0/28`.
    """
    network = region.pools.services
    if network.prefixlen > MIN_SERVICES:
        yield Fault(
            at=("pools", "services"),
            message="the service network is too small for a cluster",
            found=str(network),
            allowed=f"a prefix length of at most {MIN_SERVICES}",
            remedy="widen it now: it cannot change while the cluster lives",
        )


RULES = (
    apart,
    oob_parts_apart,
    oob_parts_inside,
    gateway_inside,
    gateway_apart,
    services_apart,
    services_wide,
)
