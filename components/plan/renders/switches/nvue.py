"""Configuration of a Cumulus Linux switch, in the YAML that `nv config replace` takes.

Written for the object model of Cumulus Linux 5.14, the newest of the releases that the reference fabric was
built with; 5.15 moved BFD to profiles and addresses below `ipv4`. NVIDIA publishes no schema of it, so tests
hold this to its own form and to the FRR configuration of the same switch, and no switch has loaded it.

What a switch gets at its first boot is not in it: accounts, their keys and the API's certificate are
secrets, and whoever replaces the configuration merges them in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network
from typing import Any

from components.plan.fabric_model import SwitchPlan
from components.plan.model import RegionPlan
from components.plan.renders.text import ON, Block, yaml_text
from components.plan.routing import HOSTS, TO_HOSTS, Peer, Permit, announced, peers, prefix_lists

VERSION = "5.14.0"
MANAGEMENT_VRF = "mgmt"

Tree = dict[str, Any]


def configuration(switch: SwitchPlan, plan: RegionPlan) -> str:
    """The complete configuration of a switch."""
    header = {
        "model": switch.model,
        "nvue-api-version": "nvue_v1",
        "rev-id": 1.0,
        "version": f"Cumulus Linux {VERSION}",
    }
    return yaml_text([{"header": header}, {"set": _tree(switch, plan)}])


def _tree(switch: SwitchPlan, plan: RegionPlan) -> Tree:
    router: Tree = {"bgp": {"autonomous-system": switch.asn, "enable": ON, "router-id": switch.loopback}}
    if policy := dict(_prefix_lists(switch, plan)):
        router["policy"] = {"prefix-list": policy}
    return {
        "interface": dict(_interfaces(switch, plan)),
        "router": router,
        "service": {
            "dns": {MANAGEMENT_VRF: {"server": {server: {} for server in plan.endpoints.dns}}},
            "ntp": {MANAGEMENT_VRF: {"server": {server: {} for server in plan.endpoints.ntp}}},
        },
        "system": {"hostname": switch.name},
        "vrf": {"default": {"router": {"bgp": _bgp(switch, plan)}}},
    }


def _interfaces(switch: SwitchPlan, plan: RegionPlan) -> Iterator[tuple[str, Tree]]:
    length = IPv4Network(plan.oob.network).prefixlen
    management: Tree = {"address": {f"{switch.oob_address}/{length}": {}}, "gateway": {plan.oob.gateway: {}}}
    yield "eth0", {"ip": {**management, "vrf": MANAGEMENT_VRF}, "type": "eth"}
    yield "lo", {"ip": {"address": {f"{switch.loopback}/32": {}}}, "type": "loopback"}
    cage = ""
    for port in switch.ports:
        if port.lanes > 1 and (whole := port.name.rpartition("s")[0]) != cage:
            cage = whole
            yield cage, {"link": {"breakout": {f"{port.lanes}x": {}}}, "type": "swp"}
        address: Tree = {"ip": {"address": {port.address: {}}}} if port.address else {}
        yield port.name, {**address, "link": {"mtu": plan.fabric.mtu}, "type": "swp"}


def _bgp(switch: SwitchPlan, plan: RegionPlan) -> Tree:
    sessions = peers(switch)
    return {
        "address-family": {"ipv4-unicast": {"enable": ON, "network": {each: {} for each in announced(switch)}}},
        "enable": ON,
        "neighbor": {peer.port.name: _neighbour(peer) for peer in sessions},
        # Hosts of one service have different AS numbers; their paths still share the load.
        "path-selection": {"multipath": {"aspath-ignore": ON}},
        "peer-group": {group: _group(group, plan) for group in sorted({peer.group for peer in sessions})},
    }


def _neighbour(peer: Peer) -> Tree:
    policy: Tree = {"address-family": _policy("inbound", peer.let_in)} if peer.let_in else {}
    return {**policy, "peer-group": peer.group, "type": "unnumbered"}


def _group(group: str, plan: RegionPlan) -> Tree:
    return {
        "address-family": _policy("outbound", TO_HOSTS if group == HOSTS else None),
        "bfd": {
            "detect-multiplier": plan.fabric.bfd_multiplier,
            "enable": ON,
            "min-rx-interval": plan.fabric.bfd_interval_ms,
            "min-tx-interval": plan.fabric.bfd_interval_ms,
        },
        "remote-as": "external",
    }


def _policy(direction: str, prefix_list: str | None) -> Tree:
    policy: Tree = {"policy": {direction: {"prefix-list": prefix_list}}} if prefix_list else {}
    return {"ipv4-unicast": {"enable": ON, **policy}}


def _prefix_lists(switch: SwitchPlan, plan: RegionPlan) -> Iterator[tuple[str, Block]]:
    for name, permits in prefix_lists(switch, plan).items():
        yield name, _prefix_list(tuple(permits))


@lru_cache(maxsize=16384)
def _prefix_list(permits: tuple[Permit, ...]) -> Block:
    """Each leaf of a host has the same; together they are most of a fabric's text."""
    rules = {
        str(5 * number): {
            "action": "permit",
            "match": {permit.prefix: {"max-prefix-len": 32} if permit.within else {}},
        }
        for number, permit in enumerate(permits, start=1)
    }
    return Block({"rule": rules, "type": "ipv4"})
