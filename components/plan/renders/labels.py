"""Where each Kubernetes node stands, as labels: for schedulers that keep a job close together.

Keys of this project, of Kubernetes and of topograph, whose readers differ and whose values are the same.
`nvidia.com/gpu.clique` is not among them: only the running NVLink fabric knows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from components.plan.model import HostPlan, RackPlan, RegionPlan
from components.plan.naming import RACK_LABEL
from components.plan.renders.piece import Files, Piece
from components.plan.renders.text import yaml_text
from components.plan.topology import RackPlace

PREFIX = RACK_LABEL.partition("/")[0]
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
"""A hall: what a fire or a flood takes at once."""
CLUSTER = f"{PREFIX}/cluster"
ISLAND = f"{PREFIX}/island"
UNIT = f"{PREFIX}/unit"
RACK = RACK_LABEL
NVLINK_DOMAIN = f"{PREFIX}/nvlink-domain"
GPU_MODEL = f"{PREFIX}/gpu-model"
ACCELERATOR_DOMAIN = "accelerator.topograph.run/domain"
TIERS = tuple(f"fabric.topograph.run/tier-{tier}" for tier in range(3))
"""Nearest first: the leaves of a rack, of a scalable unit, of an island."""


def labels(plan: RegionPlan) -> Iterator[Piece]:
    """`<rack>.yaml`: nodes with these labels, for `kubectl apply --server-side` once the nodes have joined."""
    places = {place.rack: place for place in plan.topology.racks}
    for rack in plan.racks:
        found = {host.name: node_labels(host, places[rack.name], plan) for host in running(rack)}
        if found:
            yield Piece(rack.name, (found,), partial(_nodes, rack.name, found))


def _nodes(rack: str, labels: dict[str, dict[str, str]]) -> Files:
    nodes = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": found}}
        for name, found in labels.items()
    ]
    yield f"{rack}.yaml", yaml_text(*nodes)


def running(rack: RackPlan) -> Iterator[HostPlan]:
    """Hosts of the rack that are nodes."""
    return (host for host in rack.hosts if not host.is_spare)


def node_labels(host: HostPlan, place: RackPlace, plan: RegionPlan) -> dict[str, str]:
    """Of a node of the rack at this place."""
    cluster = next(cut.name for cut in plan.topology.clusters if cut.number == place.cluster)
    found = {
        REGION: plan.region,
        ZONE: f"{plan.region}-{place.hall}",
        CLUSTER: cluster,
        ISLAND: island_name(plan, place.island),
        UNIT: unit_name(plan, place.unit),
        RACK: host.rack,
    }
    if place.nvlink_domain:
        found |= {NVLINK_DOMAIN: place.nvlink_domain, ACCELERATOR_DOMAIN: place.nvlink_domain}
    if model := gpu_model(host):
        # Servers without GPUs are no part of the compute network.
        found |= {GPU_MODEL: model, **dict(zip(TIERS, (host.rack, found[UNIT], found[ISLAND]), strict=True))}
    return found


def island_name(plan: RegionPlan, island: int) -> str:
    """`essonne-i1`."""
    return f"{plan.region}-i{island}"


def unit_name(plan: RegionPlan, unit: int) -> str:
    """`essonne-u01`, as its leaves begin."""
    return f"{plan.region}-u{unit:02d}"


def gpu_model(host: HostPlan) -> str | None:
    """The model of the host's GPUs as a label's value; None without any."""
    if not host.gpus:
        return None
    return re.sub(r"[^a-z0-9.]+", "-", host.gpu_model.lower()).strip("-.")
