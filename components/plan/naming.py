"""All physical names of a region. Nobody else composes one.

Lengths and characters are held by the rules of the description; the tests hold the rules to this module.
"""

from __future__ import annotations

from pathlib import Path

from components.spec.derive import edge_interface, host_name, leaf_port, oob_bridge

__all__ = [
    "acceptance_bucket",
    "bmc_name",
    "compute_access_name",
    "compute_core_name",
    "compute_leaf_name",
    "compute_spine_name",
    "edge_interface",
    "host_name",
    "island_spine_name",
    "known_hosts_reference",
    "kubeconfig_path",
    "leaf_port",
    "oob_aggregation_name",
    "oob_bridge",
    "oob_gathering_name",
    "relative",
    "state_bucket",
]

DEVICE_CLASS = "gpu"
"""Neutral DeviceClass that services claim, whoever's driver stands behind it."""

RACK_LABEL = "gpuregion.dev/rack"
"""Label of a Kubernetes node; its value is the rack."""

TENANT_IMAGES = "tenants/"
"""Prefix in the registry; below it each tenant has one of its own, by its name."""

WEIGHTS_BUCKET = "weights"
"""Bucket that holds the weights of models, every file under its digest: regions that share an object store share it."""

EDGE = "edge"
"""The device at the far end of every edge link: not ours, and never configured."""


def bmc_name(host: str) -> str:
    """DNS name of a tray's BMC."""
    return f"{host}-bmc"


def relative(name: str, domain: str) -> str:
    """The name within its zone: `hello-gpu` of `hello-gpu.demo.lab.internal`."""
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


def acceptance_bucket(region: str) -> str:
    """Bucket in the region's object store that holds its acceptance ledger: no object of it is ever replaced."""
    return f"{region}-acceptance"


def compute_leaf_name(region: str, unit: int, rail: int, number: int) -> str:
    """`essonne-ib-u01-rail0-leaf1`: a leaf of the compute network, in a scalable unit."""
    return f"{region}-ib-u{unit:02d}-rail{rail}-leaf{number}"


def compute_spine_name(region: str, unit: int, rail: int, number: int) -> str:
    """`essonne-ib-u01-rail0-spine1`: a spine of three tiers, in a scalable unit."""
    return f"{region}-ib-u{unit:02d}-rail{rail}-spine{number}"


def island_spine_name(region: str, island: int, number: int) -> str:
    """`essonne-ib-i1-spine01`: a spine of two tiers, of an island."""
    return f"{region}-ib-i{island}-spine{number:02d}"


def compute_core_name(region: str, island: int, group: int, number: int) -> str:
    """`essonne-ib-i1-group2-core05`: a core of an island."""
    return f"{region}-ib-i{island}-group{group}-core{number:02d}"


def compute_access_name(region: str, unit: int | None, island: int, number: int) -> str:
    """`essonne-ib-u01-oob1`, `essonne-ib-i1-oob1`: an out-of-band switch beside those of the compute network."""
    return f"{region}-ib-u{unit:02d}-oob{number}" if unit is not None else f"{region}-ib-i{island}-oob{number}"


def oob_gathering_name(region: str, number: int) -> str:
    """`essonne-oob-ib01`: a switch that gathers the out-of-band switches of the compute network."""
    return f"{region}-oob-ib{number:02d}"


def oob_aggregation_name(region: str, number: int) -> str:
    """`essonne-oob-agg01`: a switch that gathers the out-of-band switches of racks."""
    return f"{region}-oob-agg{number:02d}"
