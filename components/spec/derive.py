"""Names and numbers that follow from a description alone.

They stand here, below the plan, because the rules must judge them: a name that is too long, an id
outside its pool. `components.plan.naming` and `components.plan.addressing` hand them to everyone else.
"""

from __future__ import annotations

import re

HOST_SUFFIXES = ("", "-bmc")
"""Endings of the DNS names of a tray: the host, and its BMC."""

SERVICE_NAMES = ("registry", "ironic", "apt", "images", "s3")
"""Names in the region's domain that lead to its services."""


def host_name(rack: str, slot: int) -> str:
    """`lab-r01-t01`: host name, node name in Kubernetes and in Ironic."""
    return f"{rack}-t{slot:02d}"


def host_id(rack_id: int, slot: int, slots_per_rack: int) -> int:
    """The host's number in the region, from 1; depends on its own rack and slot only."""
    return (rack_id - 1) * slots_per_rack + slot


def leaf_port(first_port: str, slot: int) -> str:
    """The port of a slot on its leaves: slot 1 has the first port, the others follow."""
    match = re.fullmatch(r"(.*?)([0-9]+)", first_port)
    if match is None:
        raise ValueError(f"{first_port} is not a port name")
    return f"{match[1]}{int(match[2]) + slot - 1}"


def edge_interface(region: str, edge_id: int) -> str:
    """The interface outside the fabric that an edge link ends on."""
    return f"{region}-edge{edge_id}"


def oob_bridge(region: str) -> str:
    """The bridge of the out-of-band network on a bench machine."""
    return f"{region}-oob"
