"""Reads what an explanation of a service needs. Read-only.

Events are kept by the API server for an hour; what it says of them is as old as that at most.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from components.checks.explain_model import Object, Objects, Seen
from components.checks.judge import name_of
from components.clients.kubernetes import Kubernetes
from components.plan.rollout import route_name
from components.plan.tenants import ServicePlan
from components.spec.service import Kind, Strategy

STAGED = (Strategy.CANARY, Strategy.BLUE_GREEN)
SELECTOR = "app.kubernetes.io/name"
LIVE = "gpuregion.dev/live-track"
"""Annotation of the route of a service that is rolled out by shares: the track that answers."""
TRACK = "gpuregion.dev/track"
"""Label of its pods."""
FIRST_TRACK = "a"
JOB_UID = "kueue.x-k8s.io/job-uid"
"""Label of a workload: the uid of what it stands for."""


async def read_services(api: Kubernetes, services: Sequence[ServicePlan]) -> list[Seen]:
    """All of these services, with one question for what they share. Raises KubernetesError."""
    now = datetime.now(UTC)
    nodes, slices, claims = await asyncio.gather(
        api.items("/api/v1/nodes"),
        api.items("/apis/resource.k8s.io/v1/resourceslices"),
        api.items("/apis/resource.k8s.io/v1/resourceclaims"),
    )
    return await asyncio.gather(*(_read(api, service, now, nodes, slices, claims) for service in services))


async def object_name(api: Kubernetes, service: ServicePlan, route: Object | None = None) -> str:
    """Name of the Deployment and of the rule for scaling that answer. Raises KubernetesError."""
    if service.rollout.strategy not in STAGED:
        return service.name
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{service.namespace}/httproutes/{route_name(service)}"
    found = route or await api.find(path)
    live = ((found or {}).get("metadata", {}).get("annotations") or {}).get(LIVE, FIRST_TRACK)
    return f"{service.name}-{live}"


async def _read(
    api: Kubernetes, service: ServicePlan, now: datetime, nodes: Objects, slices: Objects, claims: Objects
) -> Seen:
    place, is_job = f"namespaces/{service.namespace}", service.kind is Kind.JOB
    route = await api.find(f"/apis/gateway.networking.k8s.io/v1/{place}/httproutes/{route_name(service)}")
    name = await object_name(api, service, route)
    deployment, jobs, scaled, interceptor = await asyncio.gather(
        api.find(f"/apis/apps/v1/{place}/deployments/{name}"),
        api.items(f"/apis/batch/v1/{place}/jobs", labelSelector=f"{SELECTOR}={service.name}"),
        api.find(f"/apis/keda.sh/v1alpha1/{place}/scaledobjects/{name}"),
        api.find(f"/apis/http.keda.sh/v1beta1/{place}/interceptorroutes/{name}"),
    )
    # A job has a name for each of its versions: the newest counts.
    job = max(jobs, key=lambda each: str(each["metadata"].get("creationTimestamp", "")), default=None)
    pods, events, workloads, quotas = await asyncio.gather(
        api.items(f"/api/v1/{place}/pods", labelSelector=_pods_of(service, name)),
        api.items(f"/api/v1/{place}/events"),
        api.items(f"/apis/kueue.x-k8s.io/v1beta2/{place}/workloads"),
        api.items(f"/api/v1/{place}/resourcequotas"),
    )
    return Seen(
        service=service,
        now=now,
        deployment=None if is_job else deployment,
        job=job if is_job else None,
        scaled=scaled,
        interceptor=interceptor,
        route=route,
        pods=pods,
        events=own_events(events, name, pods),
        claims=claims,
        slices=slices,
        workloads=own_workloads(workloads, (*pods, *([job] if job and is_job else ()))),
        quotas=quotas,
        nodes=nodes,
    )


def _pods_of(service: ServicePlan, name: str) -> str:
    """Selector of the pods that answer: of one track where there are two."""
    track = "" if name == service.name else f",{TRACK}={name.rpartition('-')[2]}"
    return f"{SELECTOR}={service.name}{track}"


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
