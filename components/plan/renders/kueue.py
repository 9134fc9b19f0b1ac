"""Kueue's view of the region: the levels of its topology, and a flavor for each model of GPU.

For Kueue 0.17 and newer (`kueue.x-k8s.io/v1beta2`). The levels are labels that every node with GPUs has; the
rack stands for its NVLink domain, as there is one in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.plan.model import RegionPlan
from components.plan.renders.labels import GPU_MODEL, ISLAND, RACK, UNIT, gpu_model
from components.plan.renders.piece import Files, Piece
from components.plan.renders.text import yaml_text

API = "kueue.x-k8s.io/v1beta2"
LEVELS = (ISLAND, UNIT, RACK, "kubernetes.io/hostname")
"""Widest first."""


def kueue(plan: RegionPlan) -> Iterator[Piece]:
    """`topology.yaml` and `flavors.yaml`."""
    models = tuple(sorted({model for host in plan.hosts if (model := gpu_model(host))}))
    yield Piece("", (plan.region, models), lambda: _kueue(plan.region, models))


def _kueue(region: str, models: tuple[str, ...]) -> Files:
    topology: dict[str, Any] = {
        "apiVersion": API,
        "kind": "Topology",
        "metadata": {"name": region},
        "spec": {"levels": [{"nodeLabel": level} for level in LEVELS]},
    }
    yield "topology.yaml", yaml_text(topology)
    flavors: list[dict[str, Any]] = [
        {
            "apiVersion": API,
            "kind": "ResourceFlavor",
            "metadata": {"name": model},
            "spec": {"nodeLabels": {GPU_MODEL: model}, "topologyName": region},
        }
        for model in models
    ]
    if flavors:
        yield "flavors.yaml", yaml_text(*flavors)
