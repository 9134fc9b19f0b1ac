"""All physical names of a region. Nobody else composes one.

Lengths and characters are held by the rules of the description; the tests hold the rules to this module.
"""

from __future__ import annotations

from pathlib import Path

from components.spec.derive import edge_interface, host_name, leaf_port, oob_bridge

__all__ = [
    "bmc_name",
    "edge_interface",
    "host_name",
    "known_hosts_reference",
    "kubeconfig_path",
    "leaf_port",
    "oob_bridge",
    "relative",
    "state_bucket",
]

DEVICE_CLASS = "gpu"
"""Neutral DeviceClass that services claim, whoever's driver stands behind it."""

RACK_LABEL = "gpuregion.dev/rack"
"""Label of a Kubernetes node; its value is the rack."""

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


def kubeconfig_path(region: str) -> Path:
    """Where the cluster layer leaves the operator's access to the cluster, relative to the project."""
    return Path(".region") / region / "kubeconfig"


def state_bucket(region: str) -> str:
    """Bucket in the region's object store that holds the state of its stacks."""
    return f"{region}-state"
