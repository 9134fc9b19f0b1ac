"""A region at one time: its plan, and the inputs of the provider's resources, by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from components.plan.actions.action import Inputs
from components.plan.model import RegionPlan
from components.plan.resources import playbook_inputs, rack_inputs, switch_group_inputs

LAYERS = ("fabric", "substrate", "cluster", "runtime")
"""In the order in which they depend on each other."""
RACK = "gpuregion:baremetal:Rack"
SWITCHES = "gpuregion:network:SwitchConfig"
PLAYBOOK = "gpuregion:ansible:PlaybookRun"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource of the provider."""

    token: str
    inputs: Inputs


Layers = Mapping[str, Mapping[str, Resource]]
"""Layer -> name of a resource -> the resource."""
Contents = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Layer -> playbook -> digests of its files, in the order of the runs."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a region is, or what a description makes it."""

    plan: RegionPlan | None
    """None for a past of which only the resources are recorded: cables, power and tenants are not compared then."""
    layers: Layers


def snapshot_of(plan: RegionPlan, contents: Contents) -> Snapshot:
    """What the description makes of the region. `contents` are the playbooks of each layer."""
    layers: dict[str, Mapping[str, Resource]] = {
        "fabric": {f"{plan.region}-switches": Resource(token=SWITCHES, inputs=switch_group_inputs(plan))},
        "substrate": {rack.name: Resource(token=RACK, inputs=rack_inputs(plan, rack)) for rack in plan.racks},
    }
    for layer, playbooks in contents.items():
        layers[layer] = {
            run_name(plan.region, playbook): Resource(token=PLAYBOOK, inputs=playbook_inputs(plan, playbook, content))
            for playbook, content in playbooks.items()
        }
    return Snapshot(plan=plan, layers=MappingProxyType(layers))


def run_name(region: str, playbook: str) -> str:
    """Name of the resource that is the run of a playbook."""
    return f"{region}-{playbook.removesuffix('.yml')}"
