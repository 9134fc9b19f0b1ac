"""Why a service is in its state: one cause, with what was seen, and what to do next.

Pure: objects as the API tells them in, one explanation out. explain_read.py reads them. It never guesses: a cause is
named only where an object names it, and else it is unknown, with what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from components.checks.explain_model import Cause, Explanation, Finding, Object, Seen, within
from components.checks.explain_pods import (
    QUEUE_RUNBOOK,
    RUNBOOK,
    finding,
    is_fresh,
    is_going,
    is_ready,
    queued,
)
from components.checks.judge import condition, name_of
from components.plan.rollout_labels import HELD_SINCE
from components.plan.serving import BUDGET_QUOTA, PAUSED_REPLICAS
from components.spec.service import Kind

BUDGET_RUNBOOK = "docs/runbooks/BudgetReached.md"
SHOWN = 3
"""Events that are told where no cause is known."""


def explain(seen: Seen) -> Explanation:
    """The state of one service."""
    pods = [pod for pod in seen.pods if not is_going(pod)]
    ready, wanted = sum(is_ready(pod) for pod in pods), _wanted(seen)
    found = next(_findings(seen, pods, ready, wanted))
    return Explanation(
        cause=found.cause,
        says=found.says,
        evidence=found.evidence,
        next_step=found.next_step,
        ready=ready,
        wanted=wanted,
    )


def _findings(seen: Seen, pods: list[Object], ready: int, wanted: int) -> Iterator[Finding]:
    """Possible findings, the one that counts first; the last one is always there."""
    if seen.service.kind is Kind.JOB:
        yield from _of_job(seen)
    elif seen.deployment is None:
        yield _absent(seen, "Deployment")
    if seen.service.kind is Kind.WEB:
        yield from _of_route(seen)
    for pod in pods:
        if not is_ready(pod) and (found := finding(pod, seen)):
            yield found
    yield from _of_creation(seen)
    yield from _of_scaling(seen, ready, wanted)
    if ready and ready >= wanted:
        yield Finding(cause=Cause.SERVING, says=f"{ready} of {wanted} replicas answer", evidence=(), next_step="none")
    if wanted == 0 and not pods and seen.service.min_replicas == 0 and not _is_called(seen):
        yield Finding(
            cause=Cause.ASLEEP,
            says="it sleeps: nobody asks for it, and the next request wakes it",
            evidence=(f"replicas 0, at least {seen.service.min_replicas} wanted",),
            next_step="none; `region service show` says where to call it",
        )
    fresh = [name_of(pod) for pod in pods if not is_ready(pod) and is_fresh(pod, seen.now)]
    if fresh or _is_called(seen):
        yield Finding(
            cause=Cause.STARTING,
            says="it starts",
            evidence=tuple(f"pod {name} is not ready yet" for name in fresh) or ("KEDA sees a request that waits",),
            next_step="wait; ask again in a minute",
        )
    yield _unknown(seen, pods)


def _wanted(seen: Seen) -> int:
    if seen.service.kind is Kind.JOB:
        return int((seen.job or {}).get("spec", {}).get("parallelism") or 0)
    return int((seen.deployment or {}).get("spec", {}).get("replicas") or 0)


def _absent(seen: Seen, kind: str) -> Finding:
    return Finding(
        cause=Cause.ABSENT,
        says=f"the cluster has no {kind} of {seen.service.key}",
        evidence=(f"no {kind} {seen.service.namespace}/{seen.service.name}",),
        next_step="`region up <region> --layer runtime` declares it",
    )


def _of_job(seen: Seen) -> Iterator[Finding]:
    if seen.job is None:
        yield _absent(seen, "Job")
        return
    for kind, cause in (("Complete", Cause.FINISHED), ("Failed", Cause.CRASH)):
        is_so, words = condition(seen.job, kind)
        if is_so:
            yield Finding(
                cause=cause,
                says="the job is done" if cause is Cause.FINISHED else "the job failed",
                evidence=(words,),
                next_step="none" if cause is Cause.FINISHED else "`region service logs` says why",
            )
    if seen.job["spec"].get("suspend"):
        yield queued(seen, (f"job {name_of(seen.job)} is suspended",))


def _of_route(seen: Seen) -> Iterator[Finding]:
    for kind, thing in (("HTTPRoute", seen.route), ("InterceptorRoute", seen.interceptor)):
        if thing is None:
            yield _absent(seen, kind)
    parents = cast("list[Object]", (seen.route or {}).get("status", {}).get("parents") or [])
    if not parents:
        yield _refused("no Gateway has taken its route", "HTTPRoute: no word of a Gateway")
    for parent in parents:
        for kind in ("Accepted", "ResolvedRefs"):
            is_good, words = condition({"status": parent}, kind)
            if not is_good:
                yield _refused("the Gateway refuses its route", f"HTTPRoute: {words}")
    is_good, words = condition(seen.interceptor, "Ready")
    if not is_good:
        yield _refused("the interceptor refuses its route", f"InterceptorRoute: {words}")


def _refused(says: str, words: str) -> Finding:
    return Finding(
        cause=Cause.ROUTE,
        says=f"{says}: no request reaches it",
        evidence=(words,),
        next_step=f"`region verify <region> --layer runtime`; see {RUNBOOK}",
    )


def _of_creation(seen: Seen) -> Iterator[Finding]:
    """Pods that the API server refused to make."""
    has_failed, words = condition(seen.deployment, "ReplicaFailure")
    if not has_failed:
        return
    if f"exceeded quota: {BUDGET_QUOTA}," in words:
        yield Finding(
            cause=Cause.BUDGET,
            says=f"the budget of {seen.service.tenant} is used up: nothing new starts",
            evidence=(words,),
            next_step=f"see {BUDGET_RUNBOOK}",
        )
    elif "exceeded quota" in words:
        yield Finding(
            cause=Cause.QUOTA,
            says=f"the quota of {seen.service.tenant} is used up",
            evidence=(words, *(_used(quota) for quota in seen.quotas)),
            next_step=f"end what is not needed, or raise `quota` in the tenant's file; see {QUEUE_RUNBOOK}",
        )


def _used(quota: Object) -> str:
    hard, used = within(quota, "status", "hard"), within(quota, "status", "used")
    return f"quota {name_of(quota)}: " + ", ".join(f"{key} {used.get(key, '0')} of {hard[key]}" for key in sorted(hard))


def _of_scaling(seen: Seen, ready: int, wanted: int) -> Iterator[Finding]:
    if seen.scaled is None:
        if seen.service.kind is not Kind.JOB and seen.service.min_replicas != seen.service.max_replicas:
            yield _absent(seen, "ScaledObject")
        return
    told = within(seen.scaled, "metadata", "annotations")
    held = told.get(PAUSED_REPLICAS)
    if held is not None and HELD_SINCE in told:
        yield Finding(
            cause=Cause.ROLLOUT,
            says="it is held awake while a new version replaces the one before",
            evidence=(f"ScaledObject: {HELD_SINCE} is {told[HELD_SINCE]}",),
            next_step="`region up` goes on with it; what the pods of the new version wait for stands above, if they do",
        )
    elif held is not None and ready >= wanted:
        yield Finding(
            cause=Cause.HELD,
            says=f"somebody holds it at {held} replicas: it neither sleeps nor scales",
            evidence=(f"ScaledObject: {PAUSED_REPLICAS} is {held}",),
            next_step="`region service scale --auto` gives it back to its own rule",
        )
    is_good, words = condition(seen.scaled, "Ready")
    if not is_good:
        yield Finding(
            cause=Cause.SCALING,
            says="KEDA does not take its rule for scaling",
            evidence=(f"ScaledObject: {words}",),
            next_step=f"see {RUNBOOK}",
        )


def _is_called(seen: Seen) -> bool:
    return condition(seen.scaled, "Active")[0]


def _unknown(seen: Seen, pods: list[Object]) -> Finding:
    """What was seen, for who can make more of it."""
    told = [f"event {e.get('reason')} of {e['involvedObject'].get('name')}: {e.get('message')}" for e in seen.events]
    phases = [f"pod {name_of(pod)}: {(pod.get('status') or {}).get('phase')}" for pod in pods]
    _, words = condition(seen.deployment, "Available")
    return Finding(
        cause=Cause.UNKNOWN,
        says="no object names a cause that is known here",
        evidence=(f"deployment: {words}", *phases, *told[-SHOWN:]),
        next_step=f"`kubectl -n {seen.service.namespace} get events --sort-by=.lastTimestamp`; see {RUNBOOK}",
    )
