"""Snapshots of a region: as it is described, and as its stacks recorded it.

What the stacks recorded is read from their checkpoints: no provider is started, and no device is asked.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation

from components.clients.ansible import content_digest
from components.plan import compile_region
from components.plan.consequences import Resource, Snapshot, snapshot_of
from components.plan.consequences.compose import composed
from components.plan.consequences.snapshot import PLAYBOOK, RACK, SWITCHES, Contents
from components.plan.model import RegionPlan
from components.plan.packed import unpacked
from components.spec.recorded import restored
from stacks.layers import cluster, runtime
from stacks.project import LAYERS, ROOT, StackName

APPLIED = "gpuregion:state:AppliedDescription"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What the stacks of a region hold."""

    resources: Mapping[str, Mapping[str, Resource]] = field(default_factory=dict[str, Mapping[str, Resource]])
    plans: Mapping[str, RegionPlan] = field(default_factory=dict[str, RegionPlan])
    """Layer -> the description that it was last brought up with, compiled."""

    def snapshot(self, layers: Sequence[str]) -> Snapshot | None:
        """Of these layers; None if nothing of them is recorded."""
        resources = {layer: self.resources[layer] for layer in layers if self.resources.get(layer)}
        plan = composed({layer: plan for layer, plan in self.plans.items() if layer in layers})
        return Snapshot(plan=plan, layers=resources) if resources or plan else None


def contents(project: Path = ROOT) -> Contents:
    """Digests of the playbooks of each layer that runs some."""
    playbooks = project / "playbooks"
    return {
        layer: {name: content_digest(playbooks, name) for name in names}
        for layer, names in (("cluster", cluster.PLAYBOOKS), ("runtime", runtime.PLAYBOOKS))
    }


def described_snapshot(plan: RegionPlan, of: Contents, layers: Sequence[str], before: Recorded) -> Snapshot:
    """What the description makes of these layers; of the others it leaves what is recorded."""
    full = snapshot_of(plan, of)
    mixed = composed({**before.plans, **dict.fromkeys(layers, plan)})
    if set(layers) == set(LAYERS) or mixed is None:
        return full
    kept = {layer: resources for layer, resources in before.resources.items() if layer not in layers}
    return Snapshot(plan=mixed, layers={**kept, **{layer: full.layers[layer] for layer in layers}})


def recorded(region: str) -> Recorded:
    """Read all stacks of a region; layers without a stack, or with an empty one, are left out."""
    workspace = automation.LocalWorkspace(work_dir=str(ROOT))
    existing = {stack.name.rpartition("/")[2] for stack in workspace.list_stacks()}
    layers = [layer for layer in LAYERS if str(StackName(region, layer)) in existing]
    if not layers:
        return Recorded()

    def read(layer: str) -> Sequence[Mapping[str, Any]]:
        return _resources(workspace, region, layer)

    with concurrent.futures.ThreadPoolExecutor(len(layers)) as pool:
        return read_exports(dict(zip(layers, pool.map(read, layers), strict=True)))


def read_exports(exports: Mapping[str, Sequence[Mapping[str, Any]]]) -> Recorded:
    """From the resources of each layer's checkpoint."""
    known: dict[str, RegionPlan | None] = {}
    plans: dict[str, RegionPlan] = {}
    for layer, resources in exports.items():
        for text in _descriptions(resources):
            if text not in known:
                found = restored(text)
                known[text] = compile_region(*found) if found else None
            if plan := known[text]:
                plans[layer] = plan
    return Recorded(resources={layer: dict(_ours(found)) for layer, found in exports.items()}, plans=plans)


def _resources(workspace: automation.LocalWorkspace, region: str, layer: str) -> Sequence[Mapping[str, Any]]:
    deployment = workspace.export_stack(str(StackName(region, layer))).deployment or {}
    return deployment.get("resources") or ()


def _ours(resources: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Resource]]:
    for each in resources:
        if each["type"] in (RACK, SWITCHES, PLAYBOOK) and not each.get("delete"):
            yield (
                each["urn"].rpartition("::")[2],
                Resource(token=each["type"], inputs=unpacked(each.get("inputs") or {})),
            )


def _descriptions(resources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in resources:
        outputs: Mapping[str, Any] = each.get("outputs") or {}
        if each["type"] == APPLIED and "description" in outputs:
            yield str(outputs["description"])
