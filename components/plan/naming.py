"""All physical names of a region. Nobody else composes one.

Lengths and characters are held by the rules of the description; the tests hold the rules to this module.
"""

from __future__ import annotations

from components.spec.derive import edge_interface, host_name, leaf_port, oob_bridge

__all__ = ["bmc_name", "edge_interface", "host_name", "known_hosts_reference", "leaf_port", "oob_bridge", "relative"]

DEVICE_CLASS = "gpu"
"""Neutral DeviceClass that services claim, whoever's driver stands behind it."""

EDGE = "edge"
"""The device at the far end of every edge link: not ours, and never configured."""


def bmc_name(host: str) -> str:
    """DNS name of a tray's BMC."""
    return f"{host}-bmc"


def relative(name: str, domain: str) -> str:
    """The name within its zone: `hello-gpu` of `hello-gpu.lab.internal`."""
    return name.removesuffix(f".{domain}")


def known_hosts_reference(region: str) -> str:
    """Where the substrate layer leaves the pinned SSH keys of the hosts it deployed."""
    return f"file:.region/{region}/known_hosts"
