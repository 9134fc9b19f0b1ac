"""The substrate: every rack, from powered-off trays to hosts that answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from components.baremetal.rack_group import RackGroup, RackGroupArgs
from components.plan.model import RegionPlan
from components.plan.resources import rack_inputs
from components.provider.resource import Provider


def declare(plan: RegionPlan, project: Path, provider: Provider) -> Sequence[pulumi.Resource]:
    """Declare the layer's resources; exports the trays of each rack. Returns what the layer is up with."""
    group = RackGroup(
        plan.region,
        RackGroupArgs(racks={rack.name: rack_inputs(plan, rack) for rack in plan.racks}),
        pulumi.ResourceOptions(providers=[provider]),
    )
    pulumi.export("racks", group.trays)
    return (group,)
