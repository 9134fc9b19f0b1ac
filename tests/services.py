"""A service and its tenant for tests that need no region."""

from __future__ import annotations

from components.plan.tenants import ScalingPlan, ServicePlan, TenantPlan
from components.spec.service import Health, Kind, ServicePort


def service(
    *, name: str = "hello-gpu", tenant: str = "demo", kind: str = "web", min_replicas: int = 0, gpus: int = 1
) -> ServicePlan:
    """One service as the plan has it."""
    return ServicePlan(
        name=name,
        tenant=tenant,
        namespace=f"tenant-{tenant}",
        kind=Kind(kind),
        image=f"registry.lab.internal:5000/{tenant}/{name}@sha256:1f0a",
        host=f"{name}.{tenant}.lab.internal",
        ports=(ServicePort(),),
        health=Health(),
        gpus=gpus,
        min_replicas=min_replicas,
        max_replicas=2,
        idle_after_s=15,
        scaling=ScalingPlan(concurrency=10),
    )


def tenant(name: str = "demo") -> TenantPlan:
    """One tenant as the plan has it."""
    return TenantPlan(name=name, namespace=f"tenant-{name}", pods=20, gpus=4)
