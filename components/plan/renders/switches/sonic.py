"""Configuration of a SONiC switch: `config_db.json` for what SONiC itself owns, `frr.conf` for routing.

SONiC's own BGP manager knows neighbours by address only, so unnumbered sessions are written as FRR's
configuration and SONiC is told to leave it alone (`split-unified`). The ports of a kind of switch are
numbered by its maker; this knows NVIDIA's Spectrum switches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Any

from components.errors import Problem, SpecError
from components.plan.fabric_model import PortPlan, SwitchPlan
from components.plan.frr import switch_config
from components.plan.model import RegionPlan
from components.plan.ordering import natural
from components.plan.renders.text import json_text

Table = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Platform:
    """How SONiC knows a kind of switch."""

    name: str
    hwsku: str
    """The unit's port layout that splits are applied to."""
    lanes: int
    """Serial lanes of each cage; port n begins at lane (n - 1) * this."""
    splits: Mapping[int, str]
    """Parts of a cage -> what the platform calls the split."""


PLATFORMS: Mapping[str, Platform] = {
    "sn5600": Platform(
        name="x86_64-nvidia_sn5600-r0",
        hwsku="ACS-SN5600",
        lanes=8,
        splits={
            1: "1x800G[400G,200G,100G,50G,40G,25G,10G]",
            2: "2x400G[200G,100G,50G,40G,25G,10G]",
            4: "4x200G[100G,50G,25G,10G]",
        },
    ),
}
"""By the catalogue's name of the switch."""


def files(switch: SwitchPlan, plan: RegionPlan) -> dict[str, str]:
    """The two files of a switch, by name below /etc/sonic."""
    platform = _platform(switch)
    ports = {port.name: _port(port, platform) for port in switch.ports}
    renamed = tuple(replace(port, name=ports[port.name].name) for port in switch.ports)
    frr = switch_config(replace(switch, ports=renamed), plan)
    return {"config_db.json": json_text(_tables(switch, plan, platform, ports)), "frr.conf": frr}


def port_names(switch: SwitchPlan) -> dict[str, str]:
    """Port of the plan -> what SONiC calls it."""
    platform = _platform(switch)
    return {port.name: _port(port, platform).name for port in switch.ports}


def _platform(switch: SwitchPlan) -> Platform:
    if platform := PLATFORMS.get(switch.model):
        return platform
    raise SpecError(
        "a switch cannot be rendered for SONiC",
        [
            Problem(
                path=f"fabric.switch ({switch.name})",
                message="nothing is known here about how SONiC numbers its ports",
                found=switch.model,
                allowed=", ".join(PLATFORMS),
                remedy="add its platform to components/plan/renders/switches/sonic.py, or choose another switch_os",
            )
        ],
    )


@dataclass(frozen=True, kw_only=True)
class _Port:
    name: str
    cage: int
    alias: str
    lanes: tuple[int, ...]
    split: int


def _port(port: PortPlan, platform: Platform) -> _Port:
    cage, _, lane = port.name.removeprefix("swp").partition("s")
    number, part = int(cage), int(lane or 0)
    width = platform.lanes // port.lanes
    first = (number - 1) * platform.lanes + part * width
    letter = "abcdefgh"[part] if port.lanes > 1 else ""
    return _Port(
        name=f"Ethernet{first}",
        cage=number,
        alias=f"etp{number}{letter}",
        lanes=tuple(range(first, first + width)),
        split=port.lanes,
    )


def _tables(switch: SwitchPlan, plan: RegionPlan, platform: Platform, ports: Mapping[str, _Port]) -> Table:
    length = IPv4Network(plan.oob.network).prefixlen
    ordered = sorted(ports.values(), key=lambda port: port.lanes)
    return {
        "BREAKOUT_CFG": dict(_breakouts(platform, ordered)),
        "DEVICE_METADATA": {
            "localhost": {
                "bgp_asn": str(switch.asn),
                "docker_routing_config_mode": "split-unified",
                "hostname": switch.name,
                "hwsku": platform.hwsku,
                "platform": platform.name,
                "type": "LeafRouter" if switch.host_prefixes else "SpineRouter",
            }
        },
        "DNS_NAMESERVER": {server: {} for server in plan.endpoints.dns},
        "INTERFACE": dict(_interfaces(switch, ports)),
        "LOOPBACK_INTERFACE": {"Loopback0": {}, f"Loopback0|{switch.loopback}/32": {}},
        "MGMT_INTERFACE": {f"eth0|{switch.oob_address}/{length}": {"gwaddr": plan.oob.gateway}},
        "MGMT_PORT": {"eth0": {"admin_status": "up", "alias": "eth0"}},
        "MGMT_VRF_CONFIG": {"vrf_global": {"mgmtVrfEnabled": "true"}},
        "NTP_SERVER": {server: {} for server in plan.endpoints.ntp},
        "PORT": {
            port.name: {
                "admin_status": "up",
                "alias": port.alias,
                "index": str(port.cage),
                "lanes": ",".join(str(lane) for lane in port.lanes),
                "mtu": str(plan.fabric.mtu),
                "speed": str(round(switch.speed_gbps * 1000 / port.split)),
            }
            for port in ordered
        },
    }


def _breakouts(platform: Platform, ordered: list[_Port]) -> Iterator[tuple[str, Table]]:
    for port in ordered:
        yield f"Ethernet{(port.cage - 1) * platform.lanes}", {"brkout_mode": platform.splits[port.split]}


def _interfaces(switch: SwitchPlan, ports: Mapping[str, _Port]) -> Iterator[tuple[str, Table]]:
    """Every port is routed; those without an address of their own have a link-local one."""
    for port in sorted(switch.ports, key=lambda port: natural(ports[port.name].name)):
        name = ports[port.name].name
        peered = port.peer_kind != "edge"
        yield name, {"ipv6_use_link_local_only": "enable"} if peered else {}
        if port.address:
            yield f"{name}|{port.address}", {}
