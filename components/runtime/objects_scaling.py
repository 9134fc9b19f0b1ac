"""How many replicas a service has, and when: its ScaledObject.

Pure functions from the plan. Each target is a trigger of KEDA; the one that asks for most replicas wins. Concurrency
and requests a second come from the interceptor, pushed; a schedule from the clock; all else is asked of the region's
metrics. CPU and memory too: KEDA's own triggers for them would need an API (metrics.k8s.io) that the region does not
run, and could not go to zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from components.plan.serving import METRICS_ADDRESS, SCALER_ADDRESS
from components.plan.tenants import ServicePlan
from components.spec.scaling import Shift
from components.spec.service import Kind

POLL_S = 5
"""How often KEDA asks while a service is awake; waking does not wait for it, falling asleep does."""
STEP_S = 15
"""Period of `scaling.step`, and how often the autoscaler looks."""
LEAST_RATE_S = 60
"""Containers are measured every 15 s: a rate over less would be of one or two measurements."""
LEAST_REQUESTS = 20
"""In a window, until its p95 counts: of fewer, the one that woke the service would be it."""
NEVER = "1000000000000000000"
"""No figure is above it: what is scaled by it does not keep a service awake."""


def triggers(plan: ServicePlan, *, deployment: str, route: str) -> list[dict[str, Any]]:
    """All that scales the service. `deployment` names its pods, `route` its InterceptorRoute."""
    return list(_triggers(plan, deployment, route))


def _triggers(plan: ServicePlan, deployment: str, route: str) -> Iterator[dict[str, Any]]:
    scaling = plan.scaling
    if plan.kind is Kind.WEB:
        yield {
            "type": "external-push",
            "metadata": {"scalerAddress": SCALER_ADDRESS, "interceptorRoute": route},
        }
    if scaling.p95_ms:
        # The figure of one replica says nothing of how many are needed: the autoscaler takes the ratio to the target.
        yield _measured("p95", p95_query(plan, route), str(scaling.p95_ms), metric_type="Value")
    if scaling.cpu_percent:
        yield _measured("cpu", cpu_query(plan, deployment), _share(plan.cpu, scaling.cpu_percent))
    if scaling.memory_percent:
        yield _measured(
            "memory", memory_query(plan, deployment), _share(plan.memory_mib * 2**20, scaling.memory_percent)
        )
    if scaling.queue:
        yield _of_tenant(plan, scaling.queue.query, str(scaling.queue.per_replica))
    for shift in scaling.schedule:
        yield _shift(shift)


def _measured(name: str, query: str, threshold: str, metric_type: str = "AverageValue") -> dict[str, Any]:
    return {
        "type": "prometheus",
        "name": name,
        "metricType": metric_type,
        "metadata": {
            "serverAddress": METRICS_ADDRESS,
            "query": query,
            "threshold": threshold,
            "activationThreshold": NEVER,
        },
    }


def _of_tenant(plan: ServicePlan, query: str, per_replica: str) -> dict[str, Any]:
    """A query that a tenant wrote: it must see the tenant's own series only.

    The database does that for the argument `extra_label=tenant=NAME`. KEDA cannot send one whose value has a `=`, and
    appends its path and arguments to the address as it stands: so the address is the whole question already, and what
    KEDA appends becomes the value of an argument that nobody reads.
    """
    asked = f"extra_label={quote(f'tenant={plan.tenant}', safe='')}&query={quote(query, safe='')}"
    return {
        "type": "prometheus",
        "name": "queue",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": f"{METRICS_ADDRESS}/api/v1/query?{asked}&unread=",
            "query": query,
            "threshold": per_replica,
        },
    }


def p95_query(plan: ServicePlan, route: str) -> str:
    """Response time that 95 of 100 requests of the window stayed within, ms; nothing if they were few."""
    of = f'route_namespace="{plan.namespace}",route_name="{route}"'
    window = f"{plan.scaling.window_s}s"
    p95 = f"1000 * histogram_quantile(0.95, sum(rate(interceptor_request_duration_seconds_bucket{{{of}}}[{window}])) by (le))"
    enough = f"sum(increase(interceptor_request_duration_seconds_count{{{of}}}[{window}])) >= {LEAST_REQUESTS}"
    return f"{p95} and ({enough})"


def cpu_query(plan: ServicePlan, deployment: str) -> str:
    """Cores that all replicas use."""
    window = max(plan.scaling.window_s, LEAST_RATE_S)
    return f"sum(rate(container_cpu_usage_seconds_total{{{_containers(plan, deployment)}}}[{window}s]))"


def memory_query(plan: ServicePlan, deployment: str) -> str:
    """Bytes that all replicas hold."""
    return f"sum(container_memory_working_set_bytes{{{_containers(plan, deployment)}}})"


def _containers(plan: ServicePlan, deployment: str) -> str:
    pods = f"{deployment}-[0-9a-z]+-[0-9a-z]{{5}}"
    return f'job="kubelet",namespace="{plan.namespace}",pod=~"{pods}",container="{plan.name}"'


def _share(asked: float, percent: int) -> str:
    return f"{asked * percent / 100:.6f}".rstrip("0").rstrip(".")


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "type": "cron",
        "metadata": {
            "timezone": "UTC",
            "start": _daily(shift.start),
            "end": _daily(shift.end),
            "desiredReplicas": str(shift.replicas),
        },
    }


def _daily(clock: str) -> str:
    hour, minute = clock.split(":")
    return f"{int(minute)} {int(hour)} * * *"


def cooldown_s(plan: ServicePlan) -> int:
    """Seconds from the moment when nothing keeps the service awake until it sleeps.

    A rate of requests keeps it awake until the last request has left its window: that time has passed then.
    """
    passed = plan.scaling.window_s if plan.scaling.requests_per_second else 0
    return max(plan.idle_after_s - passed, 0)


def behavior(plan: ServicePlan) -> dict[str, Any]:
    """Up at once, down only after the need was lower for the whole window; by `step` replicas at most each time."""
    policies = [{"type": "Pods", "value": plan.scaling.step or plan.max_replicas, "periodSeconds": STEP_S}]
    return {
        "scaleUp": {"stabilizationWindowSeconds": 0, "policies": policies},
        "scaleDown": {"stabilizationWindowSeconds": plan.scaling.window_s, "policies": policies},
    }


def scaled_object_spec(plan: ServicePlan, *, deployment: str | None = None, route: str | None = None) -> dict[str, Any]:
    """Between min and max, by whichever target asks for most; the first request is pushed to KEDA, not polled."""
    return {
        "scaleTargetRef": {"name": deployment or plan.name},
        "minReplicaCount": plan.min_replicas,
        "maxReplicaCount": plan.max_replicas,
        "pollingInterval": POLL_S,
        "cooldownPeriod": cooldown_s(plan),
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior(plan)}},
        "triggers": triggers(plan, deployment=deployment or plan.name, route=route or plan.name),
    }


def is_scaled(plan: ServicePlan) -> bool:
    """Whether KEDA owns the number of replicas. A worker without a target has a fixed one."""
    return bool(triggers(plan, deployment=plan.name, route=plan.name))
