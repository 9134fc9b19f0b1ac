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
    hosts: Network
    """Out-of-band ports of hosts: first address + host id."""
    bmcs: Network
    """BMCs: first address + host id."""


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


class Bfd(Model):
    """How fast a dead neighbour is noticed: interval * multiplier."""

    interval_ms: Annotated[int, Field(ge=50, le=5000)]
    """Between two packets. 100 was measured to need no tuning on a busy two-core machine."""
    multiplier: Annotated[int, Field(ge=2, le=50)]
    """Packets that may be lost in a row."""


class Spine(Model):
    """A switch of the upper tier."""

    name: Name
    id: Id
    """Unique among all switches."""
    leaf_port: Interface
    """The port of each leaf that goes to this spine."""


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
    """The port of each spine that goes to this leaf."""
    edge: Edge | None = None


class Fabric(Model):
    """The switches of a region and how they watch each other."""

    switch_os: Literal["frr"]
    """Adapter that renders and applies their configuration."""
    mtu: Mtu = 1500
    """Of all fabric ports and pods, bytes. 1500 passes everywhere; real fabrics use 9000 and more."""
    bfd: Bfd
    spines: Annotated[tuple[Spine, ...], Field(min_length=1)]
    leaves: Annotated[tuple[Leaf, ...], Field(min_length=1)]
