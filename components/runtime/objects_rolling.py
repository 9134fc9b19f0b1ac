"""What stands in the cluster of a service that is rolled, read from its objects; and what a step changes in them.

Pure: objects as the API tells them in, patches out. stacks/rolling.py reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.plan.rolling import Roll, Rolled
from components.plan.rollout_labels import HELD_SINCE, VERSION_LABEL
from components.plan.serving import PAUSED_REPLICAS
from components.plan.tenants import ServicePlan
from components.runtime.objects_rollout import Object, Patch, annotations_of, seconds_since, version_in, waits_of

KEDA = "/apis/keda.sh/v1alpha1"
APPS = "/apis/apps/v1"


def rolled(deployment: Object, scaled: Object | None, pods: Sequence[Object], now_s: float) -> Rolled:
    """`pods` are all of the service; only those of the Deployment's version say whether that starts."""
    version = version_in(deployment)
    status: Mapping[str, Any] = deployment.get("status", {})
    replicas = int(deployment["spec"].get("replicas", 1))
    told = annotations_of(scaled or {})
    # Who gives the service back to its own rule by hand takes one of the two away.
    held_s = seconds_since(told.get(HELD_SINCE), now_s) if PAUSED_REPLICAS in told else None
    return Rolled(
        version=version,
        replicas=replicas,
        ready=int(status.get("readyReplicas", 0)),
        is_through=_is_seen(deployment) and _is_all(status, replicas),
        is_late=_is_seen(deployment) and _is_late(status),
        waits=waits_of([pod for pod in pods if pod["metadata"].get("labels", {}).get(VERSION_LABEL, "") == version]),
        held_s=held_s,
        is_scaled_by_hand=PAUSED_REPLICAS in told and held_s is None,
    )


def rolling_patch(plan: ServicePlan, do: Roll, now_s: float) -> Patch | None:
    """What a step changes of the service's ScaledObject."""
    path = f"{KEDA}/namespaces/{plan.namespace}/scaledobjects/{plan.name}"
    match do:
        case Roll.HOLD_AWAKE:
            return Patch(path=path, annotations={HELD_SINCE: f"{now_s:.0f}", PAUSED_REPLICAS: "1"})
        case Roll.RELEASE:
            return Patch(path=path, annotations={HELD_SINCE: None, PAUSED_REPLICAS: None})
        case Roll.NOTHING | Roll.WAIT | Roll.REFUSE:
            return None


def _is_seen(deployment: Object) -> bool:
    """Whether the status is of what the Deployment says now."""
    return deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)


def _is_all(status: Mapping[str, Any], replicas: int) -> bool:
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return counts == [replicas] * len(counts)


def _is_late(status: Mapping[str, Any]) -> bool:
    return any(
        condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded"
        for condition in status.get("conditions") or ()
    )
