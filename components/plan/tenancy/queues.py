"""Queues by which tenants' jobs wait for GPUs, and borrow those of tenants that leave theirs idle.

Kueue counts claimed devices under one resource, by the DeviceClass that they are claimed from. Services do not
queue: a request does not wait behind a job. They are bounded by the namespace's quota.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.plan.fleet import FUNGIBILITY, POOL_LABEL
from components.plan.model import RegionPlan
from components.plan.serving import QUOTA_DEVICES, TENANT_LABEL
from components.plan.tenants import TenantPlan

API = "kueue.x-k8s.io/v1beta2"
LOCAL_QUEUE = "tenant"
"""Name of the queue in each tenant's namespace; jobs name it in the label `kueue.x-k8s.io/queue-name`."""
HOSTS = "hosts"
"""Flavor of cores and memory: those of any host."""
UNBOUNDED = {"cpu": "1M", "memory": "1Ei"}
"""Quotas where a tenant has none: more than any region has."""

Pools = Mapping[str, int]
"""Pool of GPUs, which is a flavor -> GPUs in it, cheapest first."""


def gpu_pools(plan: RegionPlan) -> dict[str, int]:
    """The pools of the region, cheapest first."""
    return {pool.name: pool.gpus for pool in plan.runtime.fleet.pools}


def flavor_labels(pools: Iterable[str]) -> dict[str, dict[str, str]]:
    """Flavor -> labels of its hosts; none where they are all."""
    return {HOSTS: {}, **{pool: {POOL_LABEL: pool} for pool in pools}}


def shares(tenants: Sequence[TenantPlan], pools: Pools) -> dict[str, dict[str, int]]:
    """Tenant -> pool -> promised GPUs of it.

    Kueue promises by flavor, the description promises a sum. So each tenant gets of each pool its part of the
    region, rounded down, and what is missing of its sum from the cheapest pools that have some left.
    """
    total = sum(pools.values())
    given = {
        tenant.name: {pool: tenant.gpus * size // total if total else 0 for pool, size in pools.items()}
        for tenant in tenants
    }
    left = {pool: size - sum(share[pool] for share in given.values()) for pool, size in pools.items()}
    for tenant in tenants:
        share = given[tenant.name]
        for pool in pools:
            more = min(left[pool], tenant.gpus - sum(share.values()))
            share[pool] += more
            left[pool] -= more
    return given


def cluster_queue_spec(tenant: TenantPlan, share: Pools, cohort: str) -> dict[str, Any]:
    """The ClusterQueue: what is promised, what may be borrowed, and that it is taken back when its owner asks."""
    quota = {"cpu": tenant.cpu, "memory": f"{tenant.memory_gib}Gi" if tenant.memory_gib else None}
    hosts = [
        {"name": name, "nominalQuota": str(value or UNBOUNDED[name]), "borrowingLimit": "0"}
        for name, value in quota.items()
    ]
    groups: list[dict[str, Any]] = [
        {"coveredResources": list(quota), "flavors": [{"name": HOSTS, "resources": hosts}]},
    ]
    if share:
        flavors = [
            {
                "name": pool,
                "resources": [
                    {"name": QUOTA_DEVICES, "nominalQuota": str(gpus), "borrowingLimit": str(tenant.borrow_gpus)}
                ],
            }
            for pool, gpus in share.items()
        ]
        groups.append({"coveredResources": [QUOTA_DEVICES], "flavors": flavors})
    return {
        "cohortName": cohort,
        "flavorFungibility": dict(FUNGIBILITY),
        "namespaceSelector": {"matchLabels": {TENANT_LABEL: tenant.namespace}},
        "preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"},
        "resourceGroups": groups,
    }


def local_queue_spec(tenant: TenantPlan) -> dict[str, Any]:
    """The tenant's way to its ClusterQueue, which has the namespace's name."""
    return {"clusterQueue": tenant.namespace}
