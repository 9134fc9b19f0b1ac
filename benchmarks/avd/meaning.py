"""What the configurations of both sides mean, read back from their texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.avd.fabric import MTU, Json
from components.plan.switch_text import nv_set

Device = tuple[str, str, str, bool, bool, frozenset[tuple[int, str]]]
"""AS number, router id, loopback, whether BFD watches, whether the MTU is as asked, and (port, AS at its other end)."""


def read_eos(text: str) -> Device:
    sessions = re.findall(r"^   neighbor interface Ethernet(\d+) peer-group \S+ remote-as (\S+)$", text, re.M)
    return (
        _one(r"^router bgp (\S+)$", text),
        _one(r"^   router-id (\S+)$", text),
        _one(r"^interface Loopback0\n(?:   .*\n)*?   ip address (\S+)$", text),
        bool(re.search(r"^   neighbor \S+ bfd$", text, re.M)),
        len(re.findall(rf"^   mtu {MTU}$", text, re.M)) == len(sessions),
        frozenset((int(port), asn) for port, asn in sessions),
    )


def read_cumulus(text: str, remote: dict[str, str]) -> Device:
    lines = "\n".join(nv_set(text))
    ports = re.findall(r"^vrf default router bgp neighbor (\S+) peer-group (?!HOSTS)\S+$", lines, re.M)
    return (
        _one(r"^router bgp autonomous-system (\S+)$", lines),
        _one(r"^router bgp router-id (\S+)$", lines),
        _one(r"^interface lo ip address (\S+)$", lines),
        bool(re.search(r"^vrf default router bgp peer-group \S+ bfd enable on$", lines, re.M)),
        all(f"interface {port} link mtu {MTU}\n" in lines for port in ports),
        frozenset((int(port.removeprefix("swp")), remote[port]) for port in ports),
    )


def read_frr(text: str, remote: dict[str, str]) -> Device:
    ports = re.findall(r"^ neighbor (\S+) interface peer-group (?!HOSTS)\S+$", text, re.M)
    return (
        _one(r"^router bgp (\S+)$", text),
        _one(r"^ bgp router-id (\S+)$", text),
        _one(r"^interface lo\n ip address (\S+)$", text),
        bool(re.search(r"^ neighbor \S+ bfd$", text, re.M)),
        True,  # FRR sets no MTU: the system below it does
        frozenset((int(port.removeprefix("swp")), remote[port]) for port in ports),
    )


def _one(pattern: str, text: str) -> str:
    found = re.findall(pattern, text, re.M)
    if len(found) != 1:
        raise SystemExit(f"{len(found)} matches of {pattern}")
    return found[0]


def differences(fabric: Json, avd: Json, mine: Json) -> Iterator[str]:
    """Devices on which the outputs do not mean the same."""
    asn = {switch["name"]: str(switch["as"]) for switch in fabric["switches"]}
    for name in asn:
        remote = {port: asn.get(peer, "") for port, peer in mine["peers"][name].items()}
        expected = read_eos(avd["configs"][name])
        for system, found in (
            ("cumulus", read_cumulus(mine["configs"]["cumulus"][name], remote)),
            ("frr", read_frr(mine["configs"]["frr"][name], remote)),
        ):
            if found != expected:
                yield f"{name}, {system}: {found} is not {expected}"
