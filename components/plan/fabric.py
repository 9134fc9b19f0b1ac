"""Switches, their ports and the cables between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from components.plan.addressing import address, edge_pair
from components.plan.fabric_model import Cable, EdgeLink, FabricPlan, PortPlan, SwitchPlan, SwitchRole
from components.plan.model import HostPlan, RackPlan
from components.plan.naming import EDGE, edge_interface, leaf_port
from components.plan.ordering import natural
from components.spec.network import Leaf, Pools, Spine
from components.spec.region import Region

LINK_PREFIX = 31
"""Of the management address of a host without an out-of-band port, or without a pool for it."""


def compile_fabric(region: Region, racks: Sequence[RackPlan]) -> FabricPlan:
    """The whole fabric; racks give what hangs on the leaves."""
    pools, fabric = region.pools, region.fabric
    first_ports = {rack.name: (rack.first_leaf_port, rack.leaf_lanes) for rack in region.racks}
    behind: dict[str, list[tuple[PortPlan, HostPlan]]] = {leaf.name: [] for leaf in fabric.leaves}
    cables: list[Cable] = []
    for rack in racks:
        for host in rack.hosts:
            first, lanes = first_ports[rack.name]
            port = leaf_port(first, host.slot, lanes)
            managed_by = f"{host.oob_gateway}/31" if host.oob_prefix == LINK_PREFIX else None
            for leaf, uplink in zip(host.leaves, host.uplinks, strict=True):
                behind[leaf].append(
                    (
                        PortPlan(
                            name=port,
                            peer=host.name,
                            peer_port=uplink,
                            peer_kind="host",
                            address=managed_by,
                            lanes=lanes,
                        ),
                        host,
                    )
                )
                managed_by = None
                cables.append(Cable(a_device=host.name, a_port=uplink, b_device=leaf, b_port=port))
    planes: dict[int, list[Spine]] = defaultdict(list)
    for spine in fabric.spines:
        planes[spine.plane].append(spine)
    leaves: dict[int, list[Leaf]] = defaultdict(list)
    for leaf in fabric.leaves:
        leaves[leaf.plane].append(leaf)
        cables.extend(_leaf_cables(leaf, planes[leaf.plane], region.region))
    return FabricPlan(
        switches=(
            *(_spine(spine, leaves[spine.plane], region) for spine in fabric.spines),
            *(_leaf(leaf, planes[leaf.plane], behind[leaf.name], region) for leaf in fabric.leaves),
        ),
        cables=tuple(cables),
        edges=tuple(_edges(region)),
        bfd_interval_ms=fabric.bfd.interval_ms,
        bfd_multiplier=fabric.bfd.multiplier,
        mtu=fabric.mtu,
        switch_loopbacks=str(pools.switch_loopbacks),
        prefixes=(*_routed(pools), str(pools.edge_links)),
    )


def _routed(pools: Pools) -> tuple[str, ...]:
    """What is reached through the fabric from outside."""
    routed = (pools.switch_loopbacks, pools.host_loopbacks, pools.service_vips, pools.pods, pools.host_links)
    return tuple(str(pool) for pool in routed if pool is not None)


def _leaf_cables(leaf: Leaf, spines: Iterable[Spine], region: str) -> Iterable[Cable]:
    for spine in spines:
        yield Cable(a_device=leaf.name, a_port=spine.leaf_port, b_device=spine.name, b_port=leaf.spine_port)
    if leaf.edge:
        outside = edge_interface(region, leaf.edge.id)
        yield Cable(a_device=EDGE, a_port=outside, b_device=leaf.name, b_port=leaf.edge.port)


def _edges(region: Region) -> Iterable[EdgeLink]:
    for leaf in region.fabric.leaves:
        if leaf.edge:
            ours, theirs = edge_pair(region.pools.edge_links, leaf.edge.id)
            yield EdgeLink(
                switch=leaf.name,
                switch_port=leaf.edge.port,
                outside_port=edge_interface(region.region, leaf.edge.id),
                switch_address=ours,
                outside_address=theirs,
                routes=_routed(region.pools),
            )


def _spine(spine: Spine, leaves: Iterable[Leaf], region: Region) -> SwitchPlan:
    ports = [
        PortPlan(name=leaf.spine_port, peer=leaf.name, peer_port=spine.leaf_port, peer_kind="leaf") for leaf in leaves
    ]
    return _switch(spine, SwitchRole.SPINE, region.asns.spine.first, ports, (), region)


def _leaf(
    leaf: Leaf, spines: Iterable[Spine], behind: Sequence[tuple[PortPlan, HostPlan]], region: Region
) -> SwitchPlan:
    ports = [port for port, _ in behind]
    ports += [
        PortPlan(name=spine.leaf_port, peer=spine.name, peer_port=leaf.spine_port, peer_kind="spine")
        for spine in spines
    ]
    if leaf.edge:
        ours, _ = edge_pair(region.pools.edge_links, leaf.edge.id)
        ports.append(
            PortPlan(
                name=leaf.edge.port,
                peer=EDGE,
                peer_port=edge_interface(region.region, leaf.edge.id),
                peer_kind="edge",
                address=ours,
            )
        )
    allowed = tuple((host.name, host_prefixes(host)) for _, host in behind)
    return _switch(leaf, SwitchRole.LEAF, region.asns.leaf.first + leaf.id, ports, allowed, region)


def _switch(
    switch: Spine | Leaf,
    role: SwitchRole,
    asn: int,
    ports: Iterable[PortPlan],
    allowed: tuple[tuple[str, tuple[str, ...]], ...],
    region: Region,
) -> SwitchPlan:
    profile = region.catalogue.switch(region.fabric.switch)
    return SwitchPlan(
        name=switch.name,
        id=switch.id,
        role=role,
        os=region.fabric.switch_os,
        model=region.fabric.switch,
        speed_gbps=profile.speed_gbps if profile else 0,
        plane=switch.plane,
        oob_address=address(region.pools.oob.switches, switch.id),
        loopback=address(region.pools.switch_loopbacks, switch.id),
        asn=asn,
        ports=tuple(sorted(ports, key=lambda port: natural(port.name))),
        host_prefixes=allowed,
    )


def host_prefixes(host: HostPlan) -> tuple[str, ...]:
    """What a host may announce, and nothing else: it is no transit for others."""
    return (f"{host.loopback}/32", host.pod_cidr, *(f"{vip}/32" for vip in host.service_vips))
