"""A region whose layers were brought up with different descriptions, as one plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from components.plan.model import RegionPlan


def composed(plans: Mapping[str, RegionPlan]) -> RegionPlan | None:
    """Each part from the layer that brings it about; empty where that layer is not up. None without any layer."""
    fabric, substrate = plans.get("fabric"), plans.get("substrate")
    cluster, runtime = plans.get("cluster"), plans.get("runtime")
    base = substrate or fabric or cluster or runtime
    if base is None:
        return None
    laid = fabric or substrate or base
    return replace(
        base,
        fabric=laid.fabric if fabric else replace(laid.fabric, switches=()),
        networks=laid.networks if fabric or substrate else replace(base.networks, cables=()),
        racks=base.racks if substrate else (),
        topology=base.topology if substrate else replace(base.topology, racks=()),
        cluster=cluster.cluster if cluster else replace(base.cluster, tenants=()),
        runtime=runtime.runtime if runtime else replace(base.runtime, services=()),
    )
