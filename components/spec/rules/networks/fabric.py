"""Rules on the ports of the routed fabric: there are enough, they exist, and they are fast enough."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from components.spec.catalogue.derive import port_name
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.switch import SwitchProfile
from components.spec.derive import leaf_port
from components.spec.network import Leaf
from components.spec.position import Location
from components.spec.rack import Rack
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule

BLOCKING = (5, 3)
"""Most that hosts may draw for each unit of uplink: 5:3, as the in-band network of the reference (V, S21)."""


@dataclass
class _Below:
    """What hangs on a leaf."""

    ports: set[str] = field(default_factory=set[str])
    """Whole ports that hosts take, by a breakout or alone."""
    gbps: float = 0


def _switch(region: Region) -> SwitchProfile | None:
    return region.catalogue.switch(region.fabric.switch)


def _lane_gbps(switch: SwitchProfile, lanes: int) -> float | None:
    """Speed of each part of a split port; None where the switch does not split so."""
    if lanes == 1:
        return switch.speed_gbps
    return next((each.speed_gbps for each in switch.breakouts if each.lanes == lanes), None)


def _host_gbps(profile: RackProfile, uplink: str) -> float | None:
    return next((port.speed_gbps for port in profile.tray.ports if port.interface == uplink), None)


def _below(region: Region, switch: SwitchProfile) -> Mapping[str, _Below]:
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    below: defaultdict[str, _Below] = defaultdict(_Below)
    for rack in region.racks:
        profile = profiles.get(rack.profile)
        ports = {_whole(leaf_port(rack.first_leaf_port, tray.slot, rack.leaf_lanes), rack) for tray in rack.trays}
        lane = _lane_gbps(switch, rack.leaf_lanes) or 0
        for n, name in enumerate(rack.leaves):
            here = below[name]
            here.ports |= ports
            if profile and n < len(profile.tray.uplinks):
                speed = _host_gbps(profile, profile.tray.uplinks[n])
                here.gbps += len(rack.trays) * min(lane, speed or lane)
    return below


def _whole(port: str, rack: Rack) -> str:
    return re.sub("s[0-9]+$", "", port) if rack.leaf_lanes > 1 else port


@rule("leaf-ports-short", "fabric", "racks", "catalogue")
def leaves_have_ports(region: Region) -> Iterator[Fault]:
    """Hosts, uplinks and the edge link of a leaf fit on it.

    Example: 72 ports of hosts and 24 uplinks on 64 ports.
    """
    switch = _switch(region)
    if switch is None:
        return
    planes, below = Counter(spine.plane for spine in region.fabric.spines), _below(region, switch)
    for n, leaf in enumerate(region.fabric.leaves):
        hosts, uplinks, edge = len(below[leaf.name].ports), planes[leaf.plane], int(bool(leaf.edge))
        needed = hosts + uplinks + edge
        if needed > switch.all_ports:
            yield Fault(
                at=("fabric", "leaves", n),
                message=f"{leaf.name} has fewer ports than cables",
                found=f"{hosts} for hosts + {uplinks} for spines + {edge} for the edge = {needed}",
                allowed=f"at most {switch.all_ports} ports of a {switch.switch}",
                remedy="have more hosts share a port (lanes), fewer spines in a plane, or smaller units",
            )


@rule("spine-ports-short", "fabric", "catalogue")
def spines_have_ports(region: Region) -> Iterator[Fault]:
    """Every leaf of a plane has a port on each spine of the plane; told once for each plane.

    Example: 87 leaves in a plane of switches with 64 ports.
    """
    switch = _switch(region)
    if switch is None:
        return
    leaves: Mapping[int, list[Leaf]] = defaultdict(list)
    for leaf in region.fabric.leaves:
        leaves[leaf.plane].append(leaf)
    told: set[int] = set()
    for n, spine in enumerate(region.fabric.spines):
        borders = sum(bool(leaf.edge) for leaf in leaves[spine.plane])
        needed = len(leaves[spine.plane])
        if needed > switch.all_ports and spine.plane not in told:
            told.add(spine.plane)
            yield Fault(
                at=("fabric", "spines", n),
                message=f"the spines of plane {spine.plane} have fewer ports than the plane has leaves",
                found=f"{needed - borders} leaves of units + {borders} with an edge = {needed}",
                allowed=f"at most {switch.all_ports} ports of a {switch.switch}",
                remedy="use switches with more ports, or describe part of the racks as a region of their own",
            )


@rule("switch-port-missing", "fabric", "racks", "catalogue")
def ports_exist(region: Region) -> Iterator[Fault]:
    """Every port that a cable is to be in is one of the switch's; told once for each port.

    Example: `border_port: swp65` with SN5600.
    """
    switch = _switch(region)
    if switch is None:
        return
    known = {port_name(switch, n) for n in range(1, switch.all_ports + 1)}
    allowed = f"{port_name(switch, 1)} to {port_name(switch, switch.all_ports)} of a {switch.switch}"
    wanted: list[tuple[Location, str]] = [
        (("fabric", "spines", n, "leaf_port"), each.leaf_port) for n, each in enumerate(region.fabric.spines)
    ]
    for n, leaf in enumerate(region.fabric.leaves):
        wanted.append((("fabric", "leaves", n, "spine_port"), leaf.spine_port))
        if leaf.edge:
            wanted.append((("fabric", "leaves", n, "edge", "port"), leaf.edge.port))
    for r, rack in enumerate(region.racks):
        last = leaf_port(rack.first_leaf_port, max(tray.slot for tray in rack.trays), rack.leaf_lanes)
        wanted.append((("racks", r, "first_leaf_port"), _whole(last, rack)))
    told: set[str] = set()
    for at, port in wanted:
        if port not in known and port not in told:
            told.add(port)
            yield Fault(
                at=at,
                message="the switch has no such port",
                found=port,
                allowed=allowed,
                remedy="name another port, or switches that have it",
            )


@rule("breakout-missing", "fabric", "racks", "catalogue")
def ports_split(region: Region) -> Iterator[Fault]:
    """The switch can split a port for as many hosts as share it; told once for each way of sharing.

    Example: `host_lanes: 5` with SN5600.
    """
    switch = _switch(region)
    if switch is None:
        return
    splits = ", ".join(f"{each.lanes} lanes of {each.speed_gbps:g} Gbit/s" for each in switch.breakouts)
    told = {1}
    for r, rack in enumerate(region.racks):
        if rack.leaf_lanes not in told and _lane_gbps(switch, rack.leaf_lanes) is None:
            told.add(rack.leaf_lanes)
            yield Fault(
                at=("racks", r, "leaf_lanes"),
                message=f"a port of {switch.switch} does not split so",
                found=f"{rack.leaf_lanes} lanes",
                allowed=splits or "whole ports only",
                remedy="change host_lanes of the fabric, or leaf_lanes of the rack",
            )


@rule("leaf-blocking", "fabric", "racks", "catalogue")
def uplinks_carry_hosts(region: Region) -> Iterator[Fault]:
    """Uplinks of a leaf carry at least three fifths of what its hosts can draw.

    Example: 144 hosts at 200 Gbit/s with 16 uplinks of 800 Gbit/s.
    """
    switch = _switch(region)
    if switch is None or switch.simulated:
        return
    planes, below = Counter(spine.plane for spine in region.fabric.spines), _below(region, switch)
    most, of = BLOCKING
    for n, leaf in enumerate(region.fabric.leaves):
        down, up = below[leaf.name].gbps, planes[leaf.plane] * switch.speed_gbps
        if down * of > up * most:
            ratio = f" = {down / up:.2f}:1" if up else ""
            yield Fault(
                at=("fabric", "leaves", n),
                message=f"{leaf.name} blocks too much",
                found=f"hosts {down:g} Gbit/s to uplinks {up:g} Gbit/s{ratio}",
                allowed=f"at most {most}:{of}: {-(-down * of // (most * switch.speed_gbps)):g} spines in each plane",
                remedy="add spines to the plane; a leaf has one link to each",
            )


@rule("host-links-missing", "pools", "racks", "catalogue")
def hosts_are_managed(region: Region) -> Iterator[Fault]:
    """Every host has a pool for the address by which it is installed; told once for each profile.

    Example: GB200 trays, which have no out-of-band port, without `host_links`.
    """
    pools, told = region.pools, set[str]()
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for rack in region.racks:
        profile = profiles.get(rack.profile)
        if profile is None or pools.host_links or rack.profile in told:
            continue
        told.add(rack.profile)
        if not (profile.tray.has_oob_nic and pools.oob.hosts):
            without = "have no out-of-band port" if not profile.tray.has_oob_nic else "have no pool for theirs"
            yield Fault(
                at=("pools",),
                message=f"trays of {profile.profile} {without}, and are then managed over their first uplink",
                found="no host_links",
                allowed="a network of two addresses for each host id",
                remedy="add pools.host_links"
                + (", or pools.oob.hosts" if profile.tray.has_oob_nic else "")
                + f": host id {rack.id * pools.slots_per_rack} takes a /{32 - _bits(2 * rack.id * pools.slots_per_rack)}",
            )


def _bits(addresses: int) -> int:
    return (addresses - 1).bit_length()


RULES = (leaves_have_ports, spines_have_ports, ports_exist, ports_split, uplinks_carry_hosts, hosts_are_managed)
