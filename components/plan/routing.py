"""Whom a switch has sessions with, what it announces and what it lets in: the same for all systems on switches.

Owns the decisions, in the order in which FRR prints them; how they are written is each system's module's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from components.plan.fabric_model import PortPlan, SwitchPlan, SwitchRole
from components.plan.model import RegionPlan
from components.plan.ordering import natural

TO_HOSTS = "TO-HOSTS"
"""Prefix list of what hosts may learn."""
HOSTS = "HOSTS"
"""Peer group of hosts behind a leaf."""

GROUPS: Mapping[SwitchRole, Mapping[str, str]] = {
    SwitchRole.SPINE: {"leaf": "LEAVES"},
    SwitchRole.LEAF: {"host": HOSTS, "spine": "SPINES"},
}
"""Peer group by what is at the other end of a port. An edge has none: it is routed, not peered."""


@dataclass(frozen=True)
class Peer:
    """A session: unnumbered, with whoever is at the other end of the port."""

    port: PortPlan
    group: str

    @property
    def let_in(self) -> str | None:
        """Prefix list of what it may announce. A host is no transit: paths over it are as short as those over
        a spine."""
        return self.port.peer if self.port.peer_kind == "host" else None


@dataclass(frozen=True)
class Permit:
    """An entry of a prefix list."""

    prefix: str
    within: bool
    """Whether longer prefixes inside it are meant too."""


def peers(switch: SwitchPlan) -> list[Peer]:
    """All sessions, by group, then by port with numbers as numbers."""
    groups = GROUPS[switch.role]
    found = (Peer(port, groups[port.peer_kind]) for port in switch.ports if port.peer_kind != "edge")
    return sorted(found, key=lambda peer: (peer.group, natural(peer.port.name)))


def announced(switch: SwitchPlan) -> list[str]:
    """Announced by name, never by redistribution: the management port may be in the same table."""
    edges = (IPv4Network(port.address, strict=False) for port in switch.ports if port.address)
    return [str(network) for network in sorted([IPv4Network(f"{switch.loopback}/32"), *edges])]


def prefix_lists(switch: SwitchPlan, plan: RegionPlan) -> dict[str, list[Permit]]:
    """By name; none on a switch without hosts."""
    if not switch.host_prefixes:
        return {}
    lists = {TO_HOSTS: [Permit(prefix, not prefix.endswith("/32")) for prefix in plan.fabric.prefixes]}
    lists |= {host: [Permit(prefix, False) for prefix in prefixes] for host, prefixes in switch.host_prefixes}
    return {name: lists[name] for name in sorted(lists)}
