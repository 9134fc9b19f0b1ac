"""Configurations for FRR 8.4.4, in the very form and order in which FRR prints its running one.

Any other form would never converge: the switch would report the same difference after each apply. So
values that are FRR's defaults are left out, as FRR leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.fabric_model import SwitchPlan
from components.plan.model import HostPlan, RegionPlan
from components.plan.routing import HOSTS, TO_HOSTS, announced, peers, prefix_lists

VERSION = "8.4.4"
BFD_PROFILE = "fabric"

_DEFAULT_BFD_INTERVAL_MS = 300
_DEFAULT_BFD_MULTIPLIER = 3


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
    sessions = peers(switch)
    yield f"router bgp {switch.asn}"
    yield f" bgp router-id {switch.loopback}"
    # Hosts of one service have different AS numbers; their paths still share the load.
    yield " bgp bestpath as-path multipath-relax"
    for group in sorted({peer.group for peer in sessions}):
        yield f" neighbor {group} peer-group"
        yield f" neighbor {group} remote-as external"
        yield f" neighbor {group} bfd"
        yield f" neighbor {group} bfd profile {BFD_PROFILE}"
    for peer in sessions:
        yield f" neighbor {peer.port.name} interface peer-group {peer.group}"
    yield " !"
    yield " address-family ipv4 unicast"
    for network in announced(switch):
        yield f"  network {network}"
    if switch.host_prefixes:
        yield f"  neighbor {HOSTS} prefix-list {TO_HOSTS} out"
    for peer in sessions:
        if peer.let_in:
            yield f"  neighbor {peer.port.name} prefix-list {peer.let_in} in"
    yield from (" exit-address-family", "exit", "!")


def _prefix_lists(switch: SwitchPlan, plan: RegionPlan) -> Iterator[str]:
    lists = prefix_lists(switch, plan)
    for name, permits in lists.items():
        for number, permit in enumerate(permits, start=1):
            yield f"ip prefix-list {name} seq {5 * number} permit {permit.prefix}{' le 32' if permit.within else ''}"
    if lists:
        yield "!"


def _bfd(plan: RegionPlan) -> Iterator[str]:
    interval, multiplier = plan.fabric.bfd_interval_ms, plan.fabric.bfd_multiplier
    yield from ("bfd", f" profile {BFD_PROFILE}")
    if multiplier != _DEFAULT_BFD_MULTIPLIER:
        yield f"  detect-multiplier {multiplier}"
    if interval != _DEFAULT_BFD_INTERVAL_MS:
        yield f"  transmit-interval {interval}"
        yield f"  receive-interval {interval}"
    yield from (" exit", " !", "exit", "!")
