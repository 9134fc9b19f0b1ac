"""Whether a sleeping service wakes at a request, has its GPUs, and falls asleep again.

Calls the service as a client would, so only when asked. Each wait is bounded.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from components.checks.judge import judged, name_of, skipped
from components.checks.result import CheckResult
from components.checks.runtime_objects import WAKE_RUNBOOK, claimed_devices
from components.clients.grpc_health import ask_health
from components.clients.kubernetes import Kubernetes
from components.clients.web import Answer, CallError, call
from components.plan.model import RegionPlan
from components.plan.rollout import object_names
from components.plan.tenants import ServicePlan
from components.words import count

CALL_S = 60
"""A request that was held for so long would have lost its client."""
SLEEP_MARGIN_S = 30
"""Beyond the service's own idle time: KEDA looks every 5 s, and a pod may take its grace to end."""
POLL_S = 0.5


async def check_wake(plan: RegionPlan, service: ServicePlan, api: Kubernetes, *, wake: bool) -> list[CheckResult]:
    """Sleep, call, sleep. Raises KubernetesError."""
    expected = "a request wakes it from zero"
    if not wake:
        remedy = "`region verify <region>` without --no-wake calls it"
        return [skipped(f"runtime.wake.{service.name}", expected=expected, remedy=remedy)]
    if service.has_keys:
        remedy = f"with one of the tenant's keys: `curl -H 'Authorization: Bearer KEY' https://{service.host}/`"
        return [skipped(f"runtime.wake.{service.name}", expected=expected, remedy=remedy)]
    if service.speaks_http2 and not (service.health and service.health.grpc):
        remedy = "`health: {grpc: true}`, where its server has the standard health service; or call it with its client"
        return [skipped(f"runtime.wake.{service.name}", expected=expected, remedy=remedy)]
    limit_s = service.idle_after_s + SLEEP_MARGIN_S
    if service.min_replicas == 0 and not await _is_asleep(api, service, limit_s):
        return [_never_asleep(service, limit_s)]
    try:
        ask = ask_health if service.speaks_http2 else call
        answer = await ask(plan.runtime.gateway_vip, host=service.host, timeout_s=CALL_S)
    except CallError as error:
        return [_answered(plan, service, None, str(error.problems[0].found))]
    results = [_answered(plan, service, answer, "")]
    if answer.status == 200:
        if service.gpus:
            results.append(await _check_gpus(service, api, answer))
        if service.min_replicas == 0:
            slept = await _is_asleep(api, service, limit_s)
            results.append(_asleep_again(service, limit_s) if slept else _never_asleep(service, limit_s))
    return results


def _answered(plan: RegionPlan, service: ServicePlan, answer: Answer | None, error: str) -> CheckResult:
    found = error or "no answer"
    if answer is not None:
        said = "" if answer.status == 200 else f": {answer.text.strip()[:200]}"
        found = f"HTTP {answer.status} after {answer.seconds:.2f} s{said}"
    return judged(
        f"runtime.wake.{service.name}",
        good=answer is not None and answer.status == 200,
        expected=f"a request for {service.host} at {plan.runtime.gateway_vip} is answered"
        + (", from zero" if service.min_replicas == 0 else ""),
        found=found,
        remedy=f"see {WAKE_RUNBOOK}",
    )


def _asleep_again(service: ServicePlan, limit_s: int) -> CheckResult:
    return judged(
        f"runtime.sleep.{service.name}",
        good=True,
        expected=f"no pod within {limit_s} s without requests",
        found="no pod",
        remedy="",
    )


def _never_asleep(service: ServicePlan, limit_s: int) -> CheckResult:
    return judged(
        f"runtime.sleep.{service.name}",
        good=False,
        expected=f"no pod within {limit_s} s without requests",
        found="still has pods",
        remedy=f"does somebody call it? `kubectl -n {service.namespace} describe scaledobject {service.name}`; "
        f"see {WAKE_RUNBOOK}",
    )


async def _check_gpus(service: ServicePlan, api: Kubernetes, answer: Answer) -> CheckResult:
    pods = await api.items(
        f"/api/v1/namespaces/{service.namespace}/pods", labelSelector=f"app.kubernetes.io/name={service.name}"
    )
    claims = await api.items(f"/apis/resource.k8s.io/v1/namespaces/{service.namespace}/resourceclaims")
    names = frozenset(name_of(pod) for pod in pods)
    claimed, told = claimed_devices(claims, names), gpus_of(answer.text)
    # Only a service that tells its GPUs can be held to them; one pod answers, though several may run.
    agrees = told is None or (len(told) == service.gpus and set(told) <= set(claimed))
    return judged(
        f"runtime.gpus.{service.name}",
        good=agrees and len(claimed) == service.gpus * len(names),
        expected=f"{service.gpus} GPU a pod, claimed and named in the answer",
        found=f"claimed {', '.join(claimed) or 'none'} for {count(len(names), 'pod')}, "
        + ("the answer tells none" if told is None else f"the answer names {', '.join(told) or 'none'}"),
        remedy=f"`kubectl -n {service.namespace} describe resourceclaims`",
    )


def gpus_of(text: str) -> list[str] | None:
    """The GPUs that an answer names under `gpus`; None if it is not that kind of answer."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        return None
    named = cast("dict[str, Any]", document).get("gpus") if isinstance(document, dict) else None
    return [str(gpu) for gpu in cast("list[Any]", named)] if isinstance(named, list) else None


async def _is_asleep(api: Kubernetes, service: ServicePlan, within_s: float) -> bool:
    """Whether the service has no pod, at the latest when the time is up."""
    deployments = f"/apis/apps/v1/namespaces/{service.namespace}/deployments"
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        found = [(await api.get(f"{deployments}/{name}")).get("status", {}) for name in object_names(service)]
        if not any(status.get("replicas") for status in found):
            return True
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_S)
