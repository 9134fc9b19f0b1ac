"""Reads what an explanation of a service needs. Read-only.

Events are kept by the API server for an hour; what it says of them is as old as that at most.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from components.checks.explain_model import Object, Objects, Seen, within
from components.checks.judge import name_of
from components.clients.kubernetes import Kubernetes
from components.plan.rollout import Track, is_staged, route_name
from components.plan.rollout_labels import LIVE, TRACK_LABEL
from components.plan.tenants import ServicePlan
from components.spec.service import Kind

SELECTOR = "app.kubernetes.io/name"
JOB_UID = "kueue.x-k8s.io/job-uid"
"""Label of a workload: the uid of what it stands for."""


KINDS: Mapping[str, tuple[str, str]] = {
    "deployments": ("/apis/apps/v1", "deployments"),
    "jobs": ("/apis/batch/v1", "jobs"),
    "scaled": ("/apis/keda.sh/v1alpha1", "scaledobjects"),
    "interceptors": ("/apis/http.keda.sh/v1beta1", "interceptorroutes"),
    "routes": ("/apis/gateway.networking.k8s.io/v1", "httproutes"),
    "pods": ("/api/v1", "pods"),
    "events": ("/api/v1", "events"),
    "workloads": ("/apis/kueue.x-k8s.io/v1beta2", "workloads"),
    "quotas": ("/api/v1", "resourcequotas"),
}
"""What stands in tenants' namespaces: API and plural of each kind."""
SHARED: Mapping[str, str] = {
    "nodes": "/api/v1/nodes",
    "slices": "/apis/resource.k8s.io/v1/resourceslices",
    "claims": "/apis/resource.k8s.io/v1/resourceclaims",
}


async def read_services(api: Kubernetes, services: Sequence[ServicePlan]) -> list[Seen]:
    """All of these services, in as many questions for ten thousand as for one. Raises KubernetesError."""
    if not services:
        return []
    namespaces = {service.namespace for service in services}
    place = f"/namespaces/{namespaces.copy().pop()}" if len(namespaces) == 1 else ""
    paths = {name: f"{group}{place}/{plural}" for name, (group, plural) in KINDS.items()} | dict(SHARED)
    answers = await asyncio.gather(*(api.items(path) for path in paths.values()))
    whole = dict(zip(paths, answers, strict=True))
    parts = {name: _by_namespace(whole[name]) for name in KINDS}
    now = datetime.now(UTC)
    return [
        seen_of(service, now, {name: parts[name].get(service.namespace, []) for name in KINDS}, whole)
        for service in services
    ]


def _by_namespace(objects: Objects) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = defaultdict(list)
    for each in objects:
        found[str(each["metadata"]["namespace"])].append(each)
    return found


async def object_name(api: Kubernetes, service: ServicePlan) -> str:
    """Name of the Deployment and of the rule for scaling that answer. Raises KubernetesError."""
    if not is_staged(service):
        return service.name
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{service.namespace}/httproutes/{route_name(service)}"
    return name_of_live(service, await api.find(path))


def name_of_live(service: ServicePlan, route: Object | None) -> str:
    """The service's name, or that of the track that its route says is live."""
    if not is_staged(service):
        return service.name
    live = within(route, "metadata", "annotations").get(LIVE, Track.A.value)
    return f"{service.name}-{live}"


def seen_of(service: ServicePlan, now: datetime, own: Mapping[str, Objects], shared: Mapping[str, Objects]) -> Seen:
    """What was seen of one service; `own` is of its namespace."""

    def named(kind: str, name: str) -> Object | None:
        return next((each for each in own[kind] if name_of(each) == name), None)

    route = named("routes", route_name(service))
    name, is_job = name_of_live(service, route), service.kind is Kind.JOB
    jobs = [each for each in own["jobs"] if _has(each, {SELECTOR: service.name})]
    # A job has a name for each of its versions: the newest counts.
    job = max(jobs, key=lambda each: str(each["metadata"].get("creationTimestamp", "")), default=None)
    pods = [each for each in own["pods"] if _has(each, _labels_of(service, name))]
    return Seen(
        service=service,
        now=now,
        deployment=None if is_job else named("deployments", name),
        job=job if is_job else None,
        scaled=named("scaled", name),
        interceptor=named("interceptors", name),
        route=route,
        pods=pods,
        events=own_events(own["events"], name, pods),
        claims=shared["claims"],
        slices=shared["slices"],
        workloads=own_workloads(own["workloads"], (*pods, *([job] if job and is_job else ()))),
        quotas=own["quotas"],
        nodes=shared["nodes"],
    )


def _has(thing: Object, labels: Mapping[str, str]) -> bool:
    return labels.items() <= (thing["metadata"].get("labels") or {}).items()


def _labels_of(service: ServicePlan, name: str) -> dict[str, str]:
    """Of the pods that answer: of one track where there are two."""
    track = {} if name == service.name else {TRACK_LABEL: name.rpartition("-")[2]}
    return {SELECTOR: service.name, **track}


def own_events(events: Objects, name: str, pods: Objects) -> list[Object]:
    """Of the service's pods, and of what has its name; oldest first."""
    names = {name_of(pod) for pod in pods}

    def is_own(event: Object) -> bool:
        of = str(event["involvedObject"].get("name", ""))
        is_set = event["involvedObject"].get("kind") == "ReplicaSet"
        return of in names or of == name or (is_set and re.fullmatch(rf"{re.escape(name)}-[a-z0-9]+", of) is not None)

    return sorted((event for event in events if is_own(event)), key=_when)


def own_workloads(workloads: Objects, owners: Objects) -> list[Object]:
    """Those that stand for one of these objects."""
    uids = {str(owner["metadata"].get("uid")) for owner in owners}
    return [each for each in workloads if (each["metadata"].get("labels") or {}).get(JOB_UID) in uids]


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
