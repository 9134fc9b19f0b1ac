"""What a tenant may use at most, as the API server holds it."""

from __future__ import annotations

from typing import Any

from components.plan.serving import device_quota
from components.plan.tenants import TenantPlan

QUOTA = "tenant"
"""Name of the ResourceQuota and of the LimitRange."""
DEFAULT_REQUESTS = {"cpu": "100m", "memory": "64Mi"}
"""What a container asks for that names nothing. Without, a quota of cores would refuse its pod."""


def quota_spec(tenant: TenantPlan, device_class: str) -> dict[str, Any]:
    """The ResourceQuota.

    Devices are bounded by what is promised and what jobs may borrow: whether they may at the moment, their queue
    knows. Ports of hosts and addresses from outside would pass the gateway by, so there are none.
    """
    hard = {
        "pods": str(tenant.pods),
        # At most one claim a pod; without a bound claims could fill etcd.
        "count/resourceclaims.resource.k8s.io": str(tenant.pods),
        device_quota(device_class): str(tenant.gpus + tenant.borrow_gpus),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    if tenant.cpu is not None:
        hard["requests.cpu"] = str(tenant.cpu)
    if tenant.memory_gib is not None:
        hard["requests.memory"] = f"{tenant.memory_gib}Gi"
    return {"hard": hard}


def limits_spec() -> dict[str, Any]:
    """The LimitRange: requests for containers that have none, and no limit, which would end a model that grows."""
    return {"limits": [{"type": "Container", "defaultRequest": dict(DEFAULT_REQUESTS)}]}
