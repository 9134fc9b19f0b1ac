"""Faults on purpose: a cable pulled out, a port that is up and eats everything.

A pulled cable stays pulled when its device is switched off and on; a silent port is healed by that.
"""

from __future__ import annotations

from pathlib import Path

from lab import links, network, roots, shell
from lab.context import Lab
from lab.home import RUN
from lab.switches import root as factory

PULLED = RUN / "pulled"
"""One file for each port whose cable is out, `DEVICE.PORT`."""


def is_pulled(device: str, port: str) -> bool:
    """Whether somebody pulled the cable out of this port."""
    return _mark(device, port).exists()


def pull(lab: Lab, device: str, port: str, *, out: bool) -> None:
    """Pull a cable out of a device's port, or plug it in again. The other end loses its carrier."""
    namespace = network.where_is(lab.wiring, device, port)
    if out:
        PULLED.mkdir(parents=True, exist_ok=True)
        _mark(device, port).touch()
    else:
        _mark(device, port).unlink(missing_ok=True)
    # An unpowered device has no light to give: its ports come up with its power.
    if out or namespace is None or _has_power(namespace):
        links.batch([f"link set {port} {'down' if out else 'up'}"], namespace)


def silence(lab: Lab, device: str, port: str, *, on: bool) -> None:
    """Let a port eat all packets in both directions while its carrier stays, or heal it."""
    namespace = network.where_is(lab.wiring, device, port)
    table = f"silent_{port}"
    rules = f"add table netdev {table}\ndelete table netdev {table}\n"
    if on:
        rules += f"add table netdev {table}\n"
        for hook in ("ingress", "egress"):
            rules += f"add chain netdev {table} {hook} {{ type filter hook {hook} device {port} priority 0; policy drop; }}\n"
    enter = ("ip", "netns", "exec", namespace) if namespace else ()
    shell.run(*enter, *roots.program(factory.SPEC.path, "usr/sbin/nft"), "-f", "-", stdin=rules)


def _has_power(namespace: str) -> bool:
    """The management port is up exactly while a device has power."""
    return "UP" in links.interfaces(namespace).get("eth0", {}).get("flags", [])


def _mark(device: str, port: str) -> Path:
    return PULLED / f"{device}.{port}"
