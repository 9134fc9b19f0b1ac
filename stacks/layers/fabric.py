"""The fabric: all switches of a region, changed as one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from components.network.fabric import Fabric, FabricArgs
from components.plan.model import RegionPlan
from components.plan.resources import switch_group_inputs
from components.provider.resource import Provider


def declare(plan: RegionPlan, project: Path, provider: Provider) -> Sequence[pulumi.Resource]:
    """Declare the layer's resources; exports the digest of each switch's configuration.

    Returns what the layer is up with.
    """
    fabric = Fabric(
        plan.region,
        FabricArgs(inputs=switch_group_inputs(plan)),
        pulumi.ResourceOptions(providers=[provider]),
    )
    pulumi.export("switches", fabric.switches)
    return (fabric,)
