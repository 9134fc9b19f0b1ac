"""Network ports of a machine: out of the chassis at boot, back into it when the kernel ends.

Each boot gets a fresh network name space, so that addresses, routes and rules die with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab import links
from lab.errors import LabError


def take(machine: str, chassis: str, macs: Mapping[str, str]) -> None:
    """Make the machine's name space and move its ports there."""
    give_back(machine, chassis, macs)
    present = links.interfaces(chassis)
    missing = sorted(set(macs) - set(present))
    if missing:
        raise LabError(
            f"{machine} lacks network ports",
            found=f"no {', '.join(missing)} in the name space {chassis}",
            remedy="python -m lab up plugs them in again",
        )
    links.add_namespace(machine)
    links.batch((f"link set {port} netns {machine}" for port in macs), chassis)


def give_back(machine: str, chassis: str, macs: Mapping[str, str]) -> None:
    """Move the ports back and remove the machine's name space with everything in it, if it is there."""
    if not links.namespace_exists(machine):
        links.delete_namespace(machine)
        return
    lines: list[str] = []
    for port, found in whose(links.interfaces(machine), macs).items():
        lines.append(f"link set {found} down")
        if found != port:
            lines.append(f"link set {found} name {port}")
        lines += [f"link set {port} address {macs[port]}", f"link set {port} netns {chassis}"]
    links.batch(lines, machine, tolerant=True)
    links.delete_namespace(machine)


def whose(present: Mapping[str, Mapping[str, Any]], macs: Mapping[str, str]) -> dict[str, str]:
    """Which interface is which port: by its MAC, as the operating system may have renamed it, else by its name.

    Only veths count: a bridge or bond takes the MAC of its first port.
    """
    by_mac = {
        link.get("permaddr", link.get("address")): name
        for name, link in present.items()
        if link.get("link_type") == "ether" and "link_netnsid" in link
    }
    found: dict[str, str] = {}
    for port, mac in macs.items():
        name = port if port in present and present[port].get("address") == mac else by_mac.get(mac)
        if name is None and port in present:
            name = port
        if name is not None:
            found[port] = name
    return found
