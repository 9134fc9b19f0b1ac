"""Distance by the kernel's netem, where it has it: a hub namespace, a cable to each point, a delay for each site.

Each point delays what it sends by half the round trip to where it goes. Netem is missing on the machine that this
was written on: there only the rest of it, which needs htb and u32, has been run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lab import shell
from lab.edges.delay_link import DEVICE
from lab.edges.description import Point

_RATE = "10gbit"
_DUMMY = "192.0.0.8"


def hub_name() -> str:
    """The namespace in the middle."""
    return f"edges{os.getpid()}-hub"


def is_there() -> bool:
    """Whether the kernel has netem."""
    space = f"edges{os.getpid()}-probe"
    shell.run("ip", "netns", "add", space)
    try:
        return shell.succeeds(
            "ip", "netns", "exec", space, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"
        )
    finally:
        shell.run("ip", "netns", "delete", space, check=False)


def build(document: Mapping[str, Any], *, delay: bool = True) -> None:
    """The hub, the cables and the delays; without `delay` all but netem itself."""
    hub = hub_name()
    shell.run("ip", "netns", "add", hub)
    shell.run("ip", "netns", "exec", hub, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    # The hub asks for its neighbours by some address: the one that stands for none (RFC 7600).
    shell.run("ip", "-n", hub, "address", "add", f"{_DUMMY}/32", "dev", "lo")
    shell.run("ip", "-n", hub, "link", "set", "lo", "up")
    for number, point in enumerate(document["points"]):
        space, port = point["namespace"], f"p{number}"
        shell.run("ip", "link", "add", DEVICE, "netns", space, "type", "veth", "peer", "name", port, "netns", hub)
        shell.run("ip", "-n", hub, "link", "set", port, "up")
        for address in point["addresses"]:
            shell.run("ip", "-n", space, "address", "add", f"{address}/32", "dev", DEVICE)
            shell.run("ip", "-n", hub, "route", "add", f"{address}/32", "dev", port)
        shell.run("ip", "-n", space, "link", "set", DEVICE, "up")
        # The hub answers for every address, so that a cable needs no network of its own.
        shell.run("ip", "netns", "exec", hub, "sysctl", "-qw", f"net.ipv4.conf.{port}.proxy_arp=1")
        shell.run("ip", "-n", space, "route", "add", "default", "dev", DEVICE, "src", point["addresses"][0])
        batch = "".join(f"{line}\n" for line in delays(document, point["site"], delay=delay))
        shell.run("ip", "netns", "exec", space, "tc", "-batch", "-", stdin=batch)


def delays(document: Mapping[str, Any], site: str, *, delay: bool = True) -> Iterator[str]:
    """Commands of `tc` for a point of this site: a class for each site that it may send to."""
    yield f"qdisc add dev {DEVICE} root handle 1: htb"
    for number, other in enumerate(sorted({point["site"] for point in document["points"]}), 10):
        ms = document["one_way_ms"][f"{site} {other}"]
        yield f"class add dev {DEVICE} parent 1: classid 1:{number} htb rate {_RATE}"
        if delay:
            yield f"qdisc add dev {DEVICE} parent 1:{number} handle {number}: netem delay {ms:g}ms limit 10000"
        for point in document["points"]:
            if point["site"] == other:
                for address in point["addresses"]:
                    match = f"match ip dst {address}/32 flowid 1:{number}"
                    yield f"filter add dev {DEVICE} parent 1: protocol ip prio 1 u32 {match}"


def set_site(points: Sequence[Point], spaces: Mapping[str, str], *, is_up: bool) -> None:
    """Whether the cables of a site carry anything."""
    for point in points:
        space = spaces[point.name]
        shell.run("ip", "-n", space, "link", "set", DEVICE, "up" if is_up else "down")
        if is_up:  # a default route goes with the link
            route = ("default", "dev", DEVICE, "src", point.addresses[0])
            shell.run("ip", "-n", space, "route", "replace", *route)
