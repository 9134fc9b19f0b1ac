"""Configurations for FRR 8.4.4, in the very form and order in which FRR prints its running one.

Any other form would never converge: the switch would report the same difference after each apply. So
values that are FRR's defaults are left out, as FRR leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from components.plan.model import HostPlan, PortPlan, RegionPlan, SwitchPlan, SwitchRole
from components.plan.ordering import natural

VERSION = "8.4.4"
BFD_PROFILE = "fabric"
TO_HOSTS = "TO-HOSTS"
"""Prefix list of what hosts may learn."""

_DEFAULT_BFD_INTERVAL_MS = 300
_DEFAULT_BFD_MULTIPLIER = 3
_GROUPS = {
    SwitchRole.SPINE: {"leaf": "LEAVES"},
    SwitchRole.LEAF: {"host": "HOSTS", "spine": "SPINES"},
}
"""Peer group by what is at the other end of a port. An edge has none: it is routed, not peered."""


def switch_config(switch: SwitchPlan, plan: RegionPlan) -> str:
    """The complete configuration of a switch."""
    lines = [
        *_head(switch),
        *_interfaces(switch),
        *_bgp(switch),
        *_prefix_lists(switch, plan),
        *_bfd(plan),
        "end",
    ]
    return "\n".join(lines) + "\n"


def host_variables(host: HostPlan, plan: RegionPlan) -> dict[str, object]:
    """What the role `frr` needs to render a host's side of the fabric."""
    return {
        "frr_asn": host.asn,
        "frr_loopback": host.loopback,
        "frr_pod_cidr": host.pod_cidr,
        "frr_service_vips": list(host.service_vips),
        "frr_uplinks": list(host.uplinks),
        "frr_bfd_interval_ms": plan.fabric.bfd_interval_ms,
        "frr_bfd_multiplier": plan.fabric.bfd_multiplier,
    }


def _head(switch: SwitchPlan) -> Iterator[str]:
    yield f"frr version {VERSION}"
    # Before any router line: timers of 3/9 s, and no policy demanded of eBGP sessions.
    yield "frr defaults datacenter"
    yield f"hostname {switch.name}"
    yield "log file /var/log/frr/frr.log"
    # Without this, the kernel drops a next hop from its group at a link flap, and zebra does not put it
    # back: half of the paths are lost for good while `show ip route` shows them all.
    yield "no zebra nexthop kernel enable"
    yield "service integrated-vtysh-config"
    yield "!"


def _interfaces(switch: SwitchPlan) -> Iterator[str]:
    yield from ("interface lo", f" ip address {switch.loopback}/32", "exit", "!")
    for port in switch.ports:
        if port.address:
            yield from (f"interface {port.name}", f" ip address {port.address}", "exit", "!")


def _bgp(switch: SwitchPlan) -> Iterator[str]:
    groups = _GROUPS[switch.role]
    used = sorted({groups[port.peer_kind] for port in _peers(switch)})
    yield f"router bgp {switch.asn}"
    yield f" bgp router-id {switch.loopback}"
    # Hosts of one service have different AS numbers; their paths still share the load.
    yield " bgp bestpath as-path multipath-relax"
    for group in used:
        yield f" neighbor {group} peer-group"
        yield f" neighbor {group} remote-as external"
        yield f" neighbor {group} bfd"
        yield f" neighbor {group} bfd profile {BFD_PROFILE}"
    for port in _peers(switch):
        yield f" neighbor {port.name} interface peer-group {groups[port.peer_kind]}"
    yield " !"
    yield " address-family ipv4 unicast"
    for network in _networks(switch):
        yield f"  network {network}"
    if switch.host_prefixes:
        yield f"  neighbor HOSTS prefix-list {TO_HOSTS} out"
    for port in _peers(switch):
        if port.peer_kind == "host":
            # A host is no transit: paths over it are as short as those over a spine.
            yield f"  neighbor {port.name} prefix-list {port.peer} in"
    yield from (" exit-address-family", "exit", "!")


def _peers(switch: SwitchPlan) -> list[PortPlan]:
    """Ports with a session, in FRR's order: by group, then by name with numbers as numbers."""
    groups = _GROUPS[switch.role]
    ports = (port for port in switch.ports if port.peer_kind != "edge")
    return sorted(ports, key=lambda port: (groups[port.peer_kind], natural(port.name)))


def _networks(switch: SwitchPlan) -> list[IPv4Network]:
    """Announced by name, never by redistribution: the management port is in the same table."""
    edges = (IPv4Network(port.address, strict=False) for port in switch.ports if port.address)
    return sorted([IPv4Network(f"{switch.loopback}/32"), *edges])


def _prefix_lists(switch: SwitchPlan, plan: RegionPlan) -> Iterator[str]:
    if not switch.host_prefixes:
        return
    lists = {TO_HOSTS: [_within(prefix) for prefix in plan.fabric.prefixes]}
    lists |= {host: list(prefixes) for host, prefixes in switch.host_prefixes}
    for name in sorted(lists):
        for number, entry in enumerate(lists[name], start=1):
            yield f"ip prefix-list {name} seq {5 * number} permit {entry}"
    yield "!"


def _within(prefix: str) -> str:
    """The pool and everything in it."""
    return f"{prefix} le 32" if not prefix.endswith("/32") else prefix


def _bfd(plan: RegionPlan) -> Iterator[str]:
    interval, multiplier = plan.fabric.bfd_interval_ms, plan.fabric.bfd_multiplier
    yield from ("bfd", f" profile {BFD_PROFILE}")
    if multiplier != _DEFAULT_BFD_MULTIPLIER:
        yield f"  detect-multiplier {multiplier}"
    if interval != _DEFAULT_BFD_INTERVAL_MS:
        yield f"  transmit-interval {interval}"
        yield f"  receive-interval {interval}"
    yield from (" exit", " !", "exit", "!")
