"""What a tenant uses of what it was promised, as the API server and the queue count it. Reading is apart from judging."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from components.checks.explain_model import Object, Objects
from components.checks.judge import condition, name_of
from components.clients.kubernetes import Kubernetes
from components.plan.serving import BUDGET_QUOTA, device_quota
from components.plan.tenancy.queues import LOCAL_QUEUE
from components.plan.tenants import TenantPlan

QUEUES = "/apis/kueue.x-k8s.io/v1beta2"


@dataclass(frozen=True, kw_only=True)
class TenantState:
    """One tenant, at one time."""

    tenant: TenantPlan
    used: Mapping[str, str]
    """Key of the quota -> what is used of it."""
    hard: Mapping[str, str]
    """Key of the quota -> what is allowed."""
    is_held: bool
    """Whether nothing new may start: its budget is used up, and it chose that."""
    waiting: int
    """Workloads that wait in its queue."""
    admitted: int
    queue: str
    """What the queue says of itself; empty where it takes work."""
    gpus: tuple[int, int]
    """Devices claimed, and allowed at most."""
    pods: tuple[int, int]
    reasons: tuple[str, ...] = ()
    """Why what waits waits, in the words of the queue."""


async def read_tenants(api: Kubernetes, tenants: Sequence[TenantPlan], device_class: str) -> list[TenantState]:
    """All of these tenants, in three questions. Raises KubernetesError."""
    if not tenants:
        return []
    place = f"/namespaces/{tenants[0].namespace}" if len(tenants) == 1 else ""
    quotas, queues, workloads = await asyncio.gather(
        api.items(f"/api/v1{place}/resourcequotas"),
        api.items(f"{QUEUES}{place}/localqueues"),
        api.items(f"{QUEUES}{place}/workloads"),
    )

    def own(objects: Objects, tenant: TenantPlan) -> list[Object]:
        return [each for each in objects if each["metadata"]["namespace"] == tenant.namespace]

    return [
        tenant_state(
            tenant,
            own(quotas, tenant),
            next((q for q in own(queues, tenant) if name_of(q) == LOCAL_QUEUE), None),
            own(workloads, tenant),
            device_class,
        )
        for tenant in tenants
    ]


def tenant_state(
    tenant: TenantPlan, quotas: Objects, queue: Object | None, workloads: Objects, device_class: str
) -> TenantState:
    """From the objects of its namespace."""
    own = next((q for q in quotas if name_of(q) != BUDGET_QUOTA), None)
    status = cast("Mapping[str, Any]", (own or {}).get("status") or {})
    used, hard = (
        cast("Mapping[str, str]", status.get("used") or {}),
        cast("Mapping[str, str]", status.get("hard") or {}),
    )
    of_queue = cast("Mapping[str, Any]", (queue or {}).get("status") or {})
    is_active, words = condition(queue, "Active")
    devices = device_quota(device_class)
    return TenantState(
        tenant=tenant,
        used=used,
        hard=hard,
        is_held=any(name_of(quota) == BUDGET_QUOTA for quota in quotas),
        waiting=int(of_queue.get("pendingWorkloads") or 0),
        admitted=int(of_queue.get("admittedWorkloads") or 0),
        queue="" if is_active else words,
        gpus=(int(used.get(devices, 0)), int(hard.get(devices, tenant.gpus))),
        pods=(int(used.get("pods", 0)), int(hard.get("pods", tenant.pods))),
        reasons=tuple(_waits(workloads)),
    )


def _waits(workloads: Objects) -> list[str]:
    found: list[str] = []
    for workload in workloads:
        is_reserved, words = condition(workload, "QuotaReserved")
        if not is_reserved and not condition(workload, "Finished")[0]:
            found.append(f"{name_of(workload)}: {words}")
    return found
