"""The networks of a region as frozen data: who is in them, and every cable.

Owns the shapes only. Objects come by the ten thousand, so they have slots and share what they can.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.spec.compute_shape import ComputeShape
from components.spec.oob_layout import OobKind


class Network(StrEnum):
    """Which network a cable belongs to. NVLink is not among them: it runs over cartridges in the back of a
    rack, which nobody plugs port by port."""

    COMPUTE = "compute"
    """InfiniBand between GPUs."""
    INBAND = "inband"
    """Routed Ethernet of hosts and storage."""
    OOB = "oob"
    """Management controllers."""


class Tier(StrEnum):
    """Of a switch of the compute network."""

    LEAF = "leaf"
    SPINE = "spine"
    CORE = "core"


@dataclass(frozen=True, kw_only=True, slots=True)
class CableRun:
    """How far a cable goes, and what it is made of; shared by all cables that are alike."""

    name: str
    """`in-rack`, `in-row`, `in-hall`, `cross-hall`."""
    length_m: int
    """Length to order; of a cross-hall cable the least, as the description does not say how far halls are apart."""
    media: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkCable:
    """Both ends of a cable, the lower one first: tray below leaf below spine below core."""

    a_device: str
    a_port: str
    b_device: str
    b_port: str
    network: Network
    rail: int | None
    """Of the compute network below its cores: ports of one rail meet in one leaf."""
    run: CableRun


@dataclass(frozen=True, kw_only=True, slots=True)
class ComputeSwitch:
    """A switch of the compute network. What it is made known by (GUID, LID) is learnt when it is found."""

    name: str
    tier: Tier
    island: int
    unit: int | None
    """Scalable unit; None for what serves a whole island."""
    rail: int | None
    """None where all rails meet."""
    group: int | None
    """Core group, from 1: that of a core, and that which a spine has its uplinks in."""
    number: int
    """From 1, among its like in the unit and rail, or in the island and group."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rail:
    """A compute port that every tray has."""

    number: int
    port: str
    """As people find it on the tray; the end of its cable."""
    device: str | None
    """RDMA device in the operating system, where known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComputePlan:
    """The InfiniBand network between GPUs."""

    model: str
    """Kind of switch, of the catalogue."""
    speed_gbps: float
    mtu: int
    ports: tuple[str, ...]
    """Names of a switch's ports, the first of port 1."""
    rails: tuple[Rail, ...]
    shape: ComputeShape
    """Of each island."""
    islands: tuple[int, ...]
    """In which a rack joins."""
    units: tuple[int, ...]
    """In which a rack joins; each is built whole, whatever racks it lacks."""
    racks: tuple[str, ...]
    """Those that join."""
    switches: tuple[ComputeSwitch, ...]


class OobRole(StrEnum):
    """What a switch of the out-of-band network is for."""

    AGGREGATION = "aggregation"
    """Gathers the switches in racks."""
    RACK = "rack"
    """Stands in a rack and serves what is in it."""
    GATHERING = "gathering"
    """Gathers the access switches."""
    ACCESS = "access"
    """Stands beside InfiniBand switches and serves their management ports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OobEndpoint:
    """An address on the out-of-band network."""

    name: str
    """DNS name."""
    kind: OobKind
    rack: str
    """Empty for what stands beside the racks."""
    device: str
    """What it is part of."""
    address: str
    switch: str
    """In the same rack or beside it; empty where there is none, or the device needs no cable."""
    port: str
    mac: str = ""
    """Of an InfiniBand switch, once it is delivered; those of machines are known by their trays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OobSwitch:
    """A switch of the out-of-band network."""

    name: str
    role: OobRole
    model: str
    rack: str | None
    """None for those outside the racks of machines."""
    number: int
    """Among its like: aggregation and rack switches together, gathering switches, access switches."""
    address: str
    asn: int | None
    """None where the out-of-band network is not routed: gathering and access switches only bridge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OobRack:
    """A rack's share of the out-of-band network."""

    rack: str
    block: str
    """CIDR."""
    gateway: str
    """Of the block where its switches route, else of the whole network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OobPlan:
    """The management network."""

    racks: tuple[OobRack, ...]
    switches: tuple[OobSwitch, ...]
    """Aggregation first, then by rack, then gathering and access switches."""
    endpoints: tuple[OobEndpoint, ...]
    """By rack, then as they are plugged; then InfiniBand switches in the order of the compute network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NvlinkDomain:
    """The network between the GPUs of a rack."""

    name: str
    rack: str
    gpus: int
    """Of the trays that are there."""
    capacity_gpus: int
    switch_trays: tuple[str, ...]
    asics: int
    """Switch chips; every GPU has a link to each where it has as many links."""
    links_per_gpu: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworksPlan:
    """All networks of a region."""

    compute: ComputePlan | None
    """None where the description has none, or no rack joins it."""
    oob: OobPlan
    nvlink: tuple[NvlinkDomain, ...]
    cables: tuple[NetworkCable, ...]
    """Of all networks, each once. Those of the in-band fabric are `plan.fabric.cables` with their length;
    whoever configures the fabric reads them there, whoever lays cables reads them here."""
