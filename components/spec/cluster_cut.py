"""Which Kubernetes cluster a rack belongs to: clusters are cut between scalable units."""

from __future__ import annotations

from components.spec.region import Region


def units_per_cluster(region: Region) -> int:
    """Whole scalable units that one cluster holds when every slot is a node; at least one."""
    in_unit = region.scalable_unit.racks * region.pools.slots_per_rack
    return max(1, region.cluster.max_nodes // in_unit)


def cluster_of(region: Region, rack_id: int) -> int:
    """Number of the cluster, from 1. It follows from the rack's id, so a rack that comes or goes moves no other."""
    unit = (rack_id - 1) // region.scalable_unit.racks
    return unit // units_per_cluster(region) + 1
