"""How a layer hands its outputs to the next.

Owns the one reader of StackReferences, and the marks of deployments: the substrate gives one to each host, the
cluster passes on those that its playbooks have run for, and so a host that is deployed anew, with the same image
even, gets every playbook of both layers again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.plan.actions.playbooks import DEPLOYMENTS
from components.plan.packed import content

PROJECT = "region"


class LayersBelow:
    """What the other layers of a region left. The preview of a region that is not up yet finds nothing there: then
    a value is unknown (None), and the layer's resources are previewed as creations."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._references: dict[str, pulumi.StackReference] = {}

    def output(self, layer: str, key: str) -> pulumi.Output[Any]:
        """An output of another layer."""
        if layer not in self._references:  # it is a resource, and a stack may hold one of a name only once
            name = f"organization/{PROJECT}/{self._region}.{layer}"
            self._references[layer] = pulumi.StackReference(name)
        return self._references[layer].get_output(key)

    def fabric_switches(self) -> pulumi.Output[Mapping[str, Any] | None]:
        """Switch -> what it was configured with."""
        return self.output("fabric", "switches").apply(content)

    def substrate_deployments(self) -> pulumi.Output[dict[str, str]]:
        """Host -> mark of its deployment, as the substrate left them."""
        return self.output("substrate", "racks").apply(deployments_of)

    def cluster_deployments(self) -> pulumi.Output[dict[str, str]]:
        """Host -> mark of the deployment that the cluster's playbooks have run for."""
        return self.output("cluster", DEPLOYMENTS).apply(lambda marks: marks or {})


def deployments_of(racks: Any) -> dict[str, str]:
    """The marks among the outputs of racks. Hosts that an older version deployed have none until they are deployed."""
    trays = {name: tray for rack in content(racks or {}).values() for name, tray in rack.items()}
    return {name: mark for name, tray in sorted(trays.items()) if (mark := tray.get("deployed"))}
