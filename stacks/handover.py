"""How a layer hands its outputs to the next.

Owns the one helper over StackReference, and the marks of deployments: the substrate gives one to each host, the
cluster passes on those that its playbooks have run for, and so a host that is deployed anew, with the same image
even, gets every playbook of both layers again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.plan.actions.playbooks import DEPLOYMENTS

PROJECT = "region"


def output_of(region: str, layer: str, key: str) -> pulumi.Output[Any]:
    """An output of another layer of the region.

    The preview of a region that is not up yet has no such output: then the value is unknown (None),
    and the layer's resources are previewed as creations.
    """
    reference = pulumi.StackReference(f"organization/{PROJECT}/{region}.{layer}")
    return reference.get_output(key)


def substrate_deployments(region: str) -> pulumi.Output[dict[str, str]]:
    """Host -> mark of its deployment, as the substrate left them."""
    return output_of(region, "substrate", "racks").apply(deployments_of)


def cluster_deployments(region: str) -> pulumi.Output[dict[str, str]]:
    """Host -> mark of the deployment that the cluster's playbooks have run for."""
    return output_of(region, "cluster", DEPLOYMENTS).apply(lambda marks: marks or {})


def deployments_of(racks: Mapping[str, Mapping[str, Mapping[str, Any]]] | None) -> dict[str, str]:
    """The marks among the outputs of racks. Hosts that an older version deployed have none until they are deployed."""
    trays = {name: tray for rack in (racks or {}).values() for name, tray in rack.items()}
    return {name: mark for name, tray in sorted(trays.items()) if (mark := tray.get("deployed"))}
