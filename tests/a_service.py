"""A web service of a tenant, for tests of what is made of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.plan.tenants import ScalingPlan, ServicePlan
from components.spec.service import ServicePort

_CHAT = ServicePlan(
    name="chat",
    tenant="demo",
    namespace="tenant-demo",
    image="registry.lab.internal:5000/lab/chat@sha256:" + "0" * 64,
    host="chat.demo.lab.internal",
    ports=(ServicePort(),),
    gpus=0,
    min_replicas=0,
    max_replicas=2,
    idle_after_s=300,
    scaling=ScalingPlan(concurrency=10),
)


def chat(**changes: Any) -> ServicePlan:
    """The service `chat`, without GPUs, asleep at zero, but for these changes."""
    return replace(_CHAT, **changes)
