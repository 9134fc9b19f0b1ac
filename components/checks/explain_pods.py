"""What keeps a pod from being ready. Pure: a pod and what is around it in, a finding or nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

from components.checks.explain_model import Cause, Finding, Object, Seen, within
from components.checks.judge import condition, name_of

RUNBOOK = "docs/runbooks/FunctionDoesNotWake.md"
WEIGHTS_GUIDE = "docs/guides/models.md"
WEIGHTS_CONTAINER = "model-weights"
NODE_RUNBOOK = "docs/runbooks/NodeNotReady.md"
QUEUE_RUNBOOK = "docs/runbooks/QueueStuck.md"
QUEUE_GATE = "kueue.x-k8s.io/admission"
"""Gate of a pod that waits in a queue."""
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
NO_CONTAINER = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
FRESH = timedelta(seconds=120)
"""So long a pod may take to start; the interceptor gives up a request then."""


def is_ready(pod: Object) -> bool:
    """Whether the pod answers."""
    return condition(pod, "Ready")[0] and not is_going(pod)


def is_going(pod: Object) -> bool:
    """Whether the pod is being ended."""
    return "deletionTimestamp" in pod["metadata"]


def finding(pod: Object, seen: Seen) -> Finding | None:
    """The one thing that keeps this pod from being ready, or None where the pod itself names none."""
    for look in (_node, _scheduling, _weights, _container):
        if found := look(pod, seen):
            return found
    return None


def is_fresh(pod: Object, now: datetime) -> bool:
    """Whether the pod may still be starting."""
    return now - _time(pod["metadata"]["creationTimestamp"]) < FRESH


def _node(pod: Object, seen: Seen) -> Finding | None:
    name = str(pod["spec"].get("nodeName") or "")
    if not name:
        return None
    node = next((node for node in seen.nodes if name_of(node) == name), None)
    is_up, words = condition(node, "Ready")
    if is_up:
        return None
    return Finding(
        cause=Cause.NODE,
        says=f"{name_of(pod)} is on {name}, which is gone",
        evidence=(f"node {name}: {words}",),
        next_step=f"see {NODE_RUNBOOK}; the pod is started elsewhere 40 s after the node fell silent",
    )


def _scheduling(pod: Object, seen: Seen) -> Finding | None:
    if pod["spec"].get("nodeName"):
        return None
    is_scheduled, words = condition(pod, "PodScheduled")
    if is_scheduled:
        return None
    gates = [str(gate["name"]) for gate in pod["spec"].get("schedulingGates") or ()]
    if QUEUE_GATE in gates:
        return queued(seen, (f"pod {name_of(pod)}: {words}",))
    if "cannot allocate all claims" in words:
        return Finding(
            cause=Cause.NO_DEVICE,
            says=f"no free device fits the claim of {name_of(pod)}",
            evidence=(f"pod {name_of(pod)}: {words}", devices(seen)),
            next_step="`region tenant list` says who holds GPUs; wait, ask for less, or add machines",
        )
    if "Unschedulable" in words:
        down = [name_of(node) for node in seen.nodes if not condition(node, "Ready")[0]]
        if down and len(down) == sum(1 for node in seen.nodes if not _is_control_plane(node)):
            return Finding(
                cause=Cause.NODE,
                says=f"no node is left for {name_of(pod)}",
                evidence=(f"pod {name_of(pod)}: {words}", f"not ready: {', '.join(down)}"),
                next_step=f"see {NODE_RUNBOOK}",
            )
    return None


def queued(seen: Seen, evidence: tuple[str, ...]) -> Finding:
    """Waits in the tenant's queue; what Kueue says of it is the evidence."""
    for workload in seen.workloads:
        is_reserved, words = condition(workload, "QuotaReserved")
        if not is_reserved:
            evidence = (*evidence, f"workload {name_of(workload)}: {words}")
    return Finding(
        cause=Cause.QUOTA,
        says="it waits in the tenant's queue for quota",
        evidence=evidence,
        next_step=f"`region tenant show` says what is used; see {QUEUE_RUNBOOK}",
    )


def devices(seen: Seen) -> str:
    """How many devices there are, and how many are taken, by all."""
    published = sum(len(each["spec"].get("devices") or ()) for each in seen.slices)
    taken = sum(len(_results(claim)) for claim in seen.claims)
    return f"{published} devices are published, {taken} are allocated"


def _results(claim: Object) -> list[Any]:
    allocation = cast("dict[str, Any]", (claim.get("status") or {}).get("allocation") or {})
    return cast("list[Any]", allocation.get("devices", {}).get("results") or [])


def _weights(pod: Object, seen: Seen) -> Finding | None:
    """Of the container that fetches the weights of a model before its engine starts (runtime/objects_weights.py)."""
    for status in cast("Iterable[Object]", within(pod, "status").get("initContainerStatuses") or ()):
        if status.get("name") != WEIGHTS_CONTAINER:
            continue
        if started := within(status, "state", "running").get("startedAt"):
            return Finding(
                cause=Cause.STARTING,
                says=f"{name_of(pod)} fetches its weights",
                evidence=(f"pod {name_of(pod)}: container {WEIGHTS_CONTAINER} runs since {started}",),
                next_step="wait; `region service logs` says how far it is",
            )
        last = within(status, "state", "terminated") or within(status, "lastState", "terminated")
        if last.get("exitCode"):
            told = str(last.get("message") or last.get("reason") or "no word of it").strip().splitlines()[-1]
            return Finding(
                cause=Cause.WEIGHTS,
                says=f"the weights of {seen.service.key} do not come to {name_of(pod)}",
                evidence=(f"pod {name_of(pod)}: {told}",),
                next_step=f"{WEIGHTS_GUIDE} says how weights are published and what each refusal means; it tries again"
                " by itself",
            )
    return None


def _container(pod: Object, seen: Seen) -> Finding | None:
    for status in _statuses(pod):
        state = cast("dict[str, Any]", status.get("state") or {})
        reason = str(state.get("waiting", {}).get("reason", ""))
        words = f"pod {name_of(pod)}: " + ": ".join(
            str(w) for w in (reason, state.get("waiting", {}).get("message")) if w
        )
        if reason in NO_IMAGE:
            return Finding(
                cause=Cause.IMAGE,
                says=f"the image of {name_of(pod)} cannot be pulled",
                evidence=(f"image {status.get('image')}", words, *_events(seen, pod, "Failed")),
                next_step="publish the image under this digest, or name one that is there; then `region up`",
            )
        if reason in NO_CONTAINER:
            return Finding(
                cause=Cause.CONFIGURATION,
                says=f"the container of {name_of(pod)} cannot be made",
                evidence=(words,),
                next_step="mostly a secret or file that is not there: correct it, the kubelet tries again by itself",
            )
        if found := _probe(pod, status, words, seen):
            return found
        if reason == "CrashLoopBackOff":
            return _crash(pod, status, words)
    return None


def _probe(pod: Object, status: Object, words: str, seen: Seen) -> Finding | None:
    """Failed checks count where the kubelet ended the container for them, or where the time to start is over."""
    killed = [text for text in _events(seen, pod, "Killing") if " probe, will be restarted" in text]
    unhealthy = _events(seen, pod, "Unhealthy")
    started = cast("dict[str, Any]", status.get("state") or {}).get("running", {}).get("startedAt")
    is_late = started is not None and seen.now - _time(started) >= FRESH
    if not killed and not (unhealthy and is_late):
        return None
    return Finding(
        cause=Cause.PROBE,
        says=f"{name_of(pod)} runs and fails its probe",
        evidence=(words, *unhealthy, *killed) if started is None else (*unhealthy, *killed),
        next_step="`region service logs` says what the program does; correct `health` or the program",
    )


def _crash(pod: Object, status: Object, words: str) -> Finding:
    last = cast("dict[str, Any]", (status.get("lastState") or {}).get("terminated") or {})
    ended = f"ended with {last.get('exitCode')} ({last.get('reason')})" if last else "ended"
    return Finding(
        cause=Cause.CRASH,
        says=f"the program of {name_of(pod)} ends again and again",
        evidence=(words, f"{status.get('restartCount', 0)} restarts, it {ended}"),
        next_step="`region service logs --previous` says why; correct the program, publish, `region up`",
    )


def _statuses(pod: Object) -> Iterator[Object]:
    """Containers that are not ready."""
    for each in cast("Iterable[Object]", within(pod, "status").get("containerStatuses") or ()):
        if not each.get("ready"):
            yield each


def _events(seen: Seen, pod: Object, reason: str) -> tuple[str, ...]:
    """The newest event of this reason, in its own words."""
    name = name_of(pod)
    found = [e for e in seen.events if e.get("reason") == reason and e["involvedObject"].get("name") == name]
    return (f"event {reason}: {found[-1].get('message')}",) if found else ()


def _is_control_plane(node: Object) -> bool:
    return "node-role.kubernetes.io/control-plane" in (node["metadata"].get("labels") or {})


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))
