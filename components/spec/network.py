"""Address pools, AS numbers and the routed fabric."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.spec.asn import Asns
from components.spec.base import Model
from components.spec.types import Address, Id, Interface, Mtu, Name, Network


class OutOfBand(Model):
    """The management network, and the parts of it that ids count in."""

    network: Network
    gateway: Address
    switches: Network
    """Management ports of switches: first address + switch id."""
    hosts: Network | None = None
    """Out-of-band ports of hosts: first address + host id. Absent where trays have no such port."""
    racks: Network
    """Management controllers in racks: one block for each rack id."""
    compute_switches: Network | None = None
    """Management ports of InfiniBand switches: first address + number of the switch. Absent without any."""
    rack_prefix: Annotated[int, Field(ge=16, le=30)]
    """Length of a rack's block. An NVL72 rack has 127 addresses, so it needs a /24: a /25 has 126."""


class Pools(Model):
    """Pools that addresses are derived from: first address of a pool + stable id."""

    oob: OutOfBand
    switch_loopbacks: Network
    """One address for each switch id."""
    host_loopbacks: Network
    """One address for each host id; the nodes' addresses in Kubernetes."""
    service_vips: Network
    """Addresses of gateways, announced by the hosts that serve them: first address + VIP id."""
    edge_links: Network
    """Two addresses (a /31) for each edge id, from 1."""
    host_links: Network | None = None
    """Two addresses (a /31) for each host id: the first uplink of hosts that have no out-of-band port, by
    which they are installed and managed. The leaf has the even one."""
    pods: Network
    """One network of `pod_prefix` for each host id."""
    services: Network
    """ClusterIPs; never leave the cluster."""
    pod_prefix: Annotated[int, Field(ge=20, le=28)] = 24
    """Length of a host's pod network; 24 leaves room for kubelet's 110 pods twice over."""
    slots_per_rack: Annotated[int, Field(ge=1, le=64)]
    """Host ids that each rack takes: host id = (rack id - 1) * this + slot. Set once for the life of
    the region, to the largest rack that will ever stand in it, as all addresses follow from it."""


class AsNumbers(Model):
    """AS numbers of the tiers (private ranges)."""

    spine: Asns
    """One number for all spines, so that a path never goes up twice."""
    leaf: Asns
    """First number + switch id."""
    host: Asns
    """First number + host id."""
    oob: Asns | None = None
    """First number + number of the out-of-band switch; NVIDIA's plan of 100 numbers holds 50 racks."""


class Bfd(Model):
    """How fast a dead neighbour is noticed: interval * multiplier."""

    interval_ms: Annotated[int, Field(ge=50, le=5000)]
    """Between two packets. 100 was measured to need no tuning on a busy two-core machine."""
    multiplier: Annotated[int, Field(ge=2, le=50)]
    """Packets that may be lost in a row."""


Plane = Annotated[int, Field(ge=1, le=8)]
"""Planes of a fabric do not meet: a leaf has links to the spines of its own plane only."""


class Spine(Model):
    """A switch of the upper tier."""

    name: Name
    id: Id
    """Unique among all switches."""
    leaf_port: Interface
    """The port of each leaf of its plane that goes to this spine."""
    plane: Plane = 1


class Edge(Model):
    """A routed link of a leaf to the world outside the fabric."""

    id: Id
    """Its /31 is the pool's number id - 1."""
    port: Interface


class Leaf(Model):
    """A switch that hosts hang on."""

    name: Name
    id: Id
    """Unique among all switches."""
    spine_port: Interface
    """The port of each spine of its plane that goes to this leaf."""
    plane: Plane = 1
    edge: Edge | None = None


class Compute(Model):
    """The InfiniBand network between GPUs; always built for whole scalable units (RA-11338-001)."""

    switch: Name
    """Kind of switch, of the catalogue."""
    tiers: Literal[2, 3]
    """2: leaf and spine. 3: with cores, for islands that two tiers do not reach."""
    mtu: Mtu = 4096
    """Of InfiniBand packets, bytes."""


class ScalableUnit(Model):
    """How racks are grouped. Set once for the life of a region: positions in all networks follow."""

    racks: Annotated[int, Field(ge=1, le=64)] = 8
    """Rack ids that make one unit: unit = (rack id - 1) // this + 1."""
    island_units: Annotated[int, Field(ge=1, le=64)] = 16
    """Units that make one island of the compute network. An island is built for all of them, so that
    growth within it moves no cable."""


class OutOfBandNetwork(Model):
    """The switches of the management network; those in racks come with the racks."""

    switch: Name
    """Kind of switch that gathers the racks' own, of the catalogue."""
    aggregation: Annotated[int, Field(ge=1, le=64)]
    """How many gather them. Their ids count on from `first_id`."""
    first_id: Id
    """Of the first. The 64 ids from here are kept for these, 16 more for switches that gather those of the compute
    network, and the ids after them are of the latter, as many as the network takes."""


class Fabric(Model):
    """The switches of a region and how they watch each other."""

    switch: Name
    """Kind of switch, of the catalogue."""
    switch_os: Literal["frr", "cumulus", "sonic"]
    """Adapter that renders and applies their configuration."""
    mtu: Mtu = 1500
    """Of all fabric ports and pods, bytes. 1500 passes everywhere; real fabrics use 9000 and more."""
    bfd: Bfd
    spines: Annotated[tuple[Spine, ...], Field(min_length=1)]
    leaves: Annotated[tuple[Leaf, ...], Field(min_length=1)]
