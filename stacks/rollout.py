"""Takes new versions of services into use: looks at the cluster, asks the plan for the next step, does it, looks again.

Owns what is read and written. What is decided stands in components/plan/rollout.py, what an object means in
components/runtime/objects_rollout.py. Nothing is kept between two looks: a run that was killed is taken up by the next.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from components.clients.kubernetes import Kubernetes
from components.clients.kubernetes_change import KubernetesChange
from components.errors import DeviceError, Problem
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.rollout import Do, Standing, Step, Track, decide, is_staged, route_name
from components.plan.rollout_labels import SINCE, TRACK_LABEL
from components.plan.serving import METRICS_NAMESPACE
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import version_of
from components.runtime.objects_rollout import (
    Object,
    answers_query,
    deployment_path,
    figure,
    least_replicas,
    live_track,
    patches,
    route_path,
    scaled_path,
    standing,
    tracks_to_leave,
)
from stacks.rolling import wait_until_rolled

POLL_S = 2.0
METRICS = f"/api/v1/namespaces/{METRICS_NAMESPACE}/services/victoria-metrics:8428/proxy/api/v1/query"
"""Through the API server: the operator's machine is not inside the cluster."""

Say = Callable[[str], None]


class RolloutError(DeviceError):
    """A new version was taken back, or does not start."""


def staged(plan: RegionPlan) -> tuple[ServicePlan, ...]:
    """Services whose versions take over by shares."""
    return tuple(service for service in plan.runtime.services if is_staged(service))


def tracks_left(plan: RegionPlan, project: Path) -> Mapping[str, frozenset[Track]]:
    """Service -> tracks whose pods a run leaves as they stand. Raises KubernetesError."""
    kubeconfig = project / kubeconfig_path(plan.region)
    if not staged(plan) or not kubeconfig.exists():
        return {}
    # Pulumi's program runs within a loop of its own, which cannot wait for another.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _tracks_left(plan, kubeconfig)).result()


async def _tracks_left(plan: RegionPlan, kubeconfig: Path) -> Mapping[str, frozenset[Track]]:
    async with Kubernetes.from_file(kubeconfig) as api:
        return {
            service.key: tracks_to_leave(service, await _route(api, service), await _deployments(api, service))
            for service in staged(plan)
        }


def roll_out(plan: RegionPlan, project: Path, say: Say) -> None:
    """Bring every service of the region to the version described. Raises RolloutError, once all are through, if one
    was taken back or does not start; KubernetesError if the cluster does not answer."""
    problems = wait_until_rolled(plan, project, say)
    if services := staged(plan):
        problems += asyncio.run(_take_over_all(services, project / kubeconfig_path(plan.region), say))
    if problems:
        raise RolloutError("a new version does not run; the one before answers", problems)


async def _take_over_all(services: tuple[ServicePlan, ...], kubeconfig: Path, say: Say) -> list[Problem]:
    async with KubernetesChange.from_file(kubeconfig) as api:
        steps = await asyncio.gather(*(take_over(api, service, say) for service in services))
    return [
        Problem(
            path=service.key,
            message=step.why,
            found=version_of(service),
            remedy=f"`kubectl -n {service.namespace} get pods -l app.kubernetes.io/name={service.name}`; then "
            "describe another version and run `region up` again",
        )
        for service, step in zip(services, steps, strict=True)
        if is_refused(service, step)
    ]


def is_refused(service: ServicePlan, step: Step) -> bool:
    """Whether a rollout ended without the version described being live."""
    return "is live" not in step.why and step.do in (Do.TAKE_BACK, Do.NOTHING)


async def take_over(api: KubernetesChange, service: ServicePlan, say: Say, *, poll_s: float = POLL_S) -> Step:
    """One service, to its last step. Raises KubernetesError."""
    said = ""
    while True:
        route = await _route(api, service)
        if route is None:
            return Step(do=Do.WAIT, why="it has no route")
        seen = await _look(api, service, route)
        step = decide(version_of(service), service.rollout, seen)
        if step.why != said:
            said = step.why
            say(f"{service.key}: {step.do.value}: {step.why}")
        for patch in patches(service, route, seen, step, time.time()):
            await api.annotate(patch.path, patch.annotations, **patch.spec)
            await asyncio.sleep(patch.stands_looks * poll_s)
        if step.is_last:
            await _settle(api, service, seen.live.other if step.do is Do.PROMOTE else seen.live)
            return step
        await asyncio.sleep(poll_s)


async def _settle(api: KubernetesChange, service: ServicePlan, live: Track) -> None:
    """The least number of replicas is that of the track that answers; the other may always sleep."""
    for track in Track:
        scaled = await api.find(scaled_path(service, track))
        for patch in least_replicas(service, track, scaled, is_live=track is live):
            await api.annotate(patch.path, patch.annotations, **patch.spec)


async def _look(api: Kubernetes, service: ServicePlan, route: Object) -> Standing:
    new = live_track(route).other
    since = route["metadata"].get("annotations", {}).get(SINCE)
    pods = f"/api/v1/namespaces/{service.namespace}/pods"
    of_track = f"app.kubernetes.io/name={service.name},{TRACK_LABEL}={new}"
    return standing(
        route=route,
        deployments=await _deployments(api, service),
        scaled=await api.find(scaled_path(service, new)),
        pods=await api.items(pods, labelSelector=of_track),
        answers=(await _count(api, service, new, since, "..."), await _count(api, service, new, since, "5..")),
        now_s=time.time(),
    )


async def _count(api: Kubernetes, service: ServicePlan, track: Track, since: str | None, codes: str) -> float:
    if since is None:
        return 0.0
    query = answers_query(service, track, time.time() - float(since), codes)
    return figure(await api.get(METRICS, query=query))


async def _route(api: Kubernetes, service: ServicePlan) -> Object | None:
    return await api.find(route_path(service, route_name(service)))


async def _deployments(api: Kubernetes, service: ServicePlan) -> dict[Track, Object]:
    found = [(track, await api.find(deployment_path(service, track))) for track in Track]
    return {track: deployment for track, deployment in found if deployment is not None}
