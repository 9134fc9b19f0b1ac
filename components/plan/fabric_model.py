"""The routed fabric of a region, as frozen data: switches with their ports, cables, links to the outside.

Owns the shape only; `plan.fabric` builds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SwitchRole(StrEnum):
    """Tier of a switch in the fabric."""

    SPINE = "spine"
    LEAF = "leaf"


@dataclass(frozen=True, kw_only=True)
class PortPlan:
    """A switch port in use and what is behind it."""

    name: str
    """`swp1`."""
    peer: str
    """Device at the other end: switch, host, or `edge`."""
    peer_port: str
    peer_kind: str
    """`spine`, `leaf`, `host` or `edge`."""
    address: str | None = None
    """Address with prefix length on an edge link, and on the link by which a host without an out-of-band
    port is managed; all other links are unnumbered."""
    lanes: int = 1
    """Parts that its cage is split into: 4 of `swp1s0`."""


@dataclass(frozen=True, kw_only=True)
class SwitchPlan:
    """One switch of the fabric."""

    name: str
    id: int
    role: SwitchRole
    os: str
    model: str
    """Kind of switch, of the catalogue."""
    speed_gbps: float
    """Of a whole port."""
    plane: int
    oob_address: str
    loopback: str
    asn: int
    ports: tuple[PortPlan, ...]
    host_prefixes: tuple[tuple[str, tuple[str, ...]], ...]
    """(host, prefixes it may announce) for each host behind this leaf; empty on a spine."""


@dataclass(frozen=True, kw_only=True)
class Cable:
    """Both ends of a cable. The device `edge` is the operator's side of an edge link."""

    a_device: str
    a_port: str
    b_device: str
    b_port: str


@dataclass(frozen=True, kw_only=True)
class EdgeLink:
    """A routed link to the network outside the fabric."""

    switch: str
    switch_port: str
    outside_port: str
    """Interface name on the outside, e.g. `lab-edge1`."""
    switch_address: str
    """With prefix length (/31)."""
    outside_address: str
    routes: tuple[str, ...]
    """Prefixes reachable through the fabric."""


@dataclass(frozen=True, kw_only=True)
class FabricPlan:
    """The routed fabric."""

    switches: tuple[SwitchPlan, ...]
    cables: tuple[Cable, ...]
    edges: tuple[EdgeLink, ...]
    bfd_interval_ms: int
    bfd_multiplier: int
    mtu: int
    """Of all fabric ports, bytes."""
    switch_loopbacks: str
    """Pool, CIDR."""
    prefixes: tuple[str, ...]
    """All pools that are routed in the fabric, CIDR; what hosts may learn."""
