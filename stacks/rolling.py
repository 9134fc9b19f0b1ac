"""Rolls services that sleep as if they were awake: wakes the version before, and lets the new one sleep once it runs.

Owns what is read and written, before and after Pulumi changes the Deployments. What is decided stands in
components/plan/rolling.py, what an object means in components/runtime/objects_rolling.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.clients.kubeconfig import KubeconfigError
from components.clients.kubernetes import KubernetesError
from components.clients.kubernetes_change import KubernetesChange
from components.errors import Problem
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.rolling import Roll, Rolled, Turn, after, before, is_rolled
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import version_of
from components.runtime.objects_rolling import APPS, KEDA, rolled, rolling_patch
from components.runtime.objects_rollout import Object

POLL_S = 2.0
AT_ONCE = 20
"""Services that are looked after at one time."""
OURS = "app.kubernetes.io/component=service"

Say = Callable[[str], None]
Decide = Callable[[str, Rolled], Turn]


def wake_those_to_change(plan: RegionPlan, project: Path, say: Say) -> None:
    """Before a run: every sleeping service that it gives another version is awake, if it still can be.

    Nothing where there is no cluster yet, or none that answers: the run that follows may be what mends it.
    """
    if not _rolled_services(plan) or not (project / kubeconfig_path(plan.region)).exists():
        return
    try:
        asyncio.run(_to_the_last_step(plan, project, before, say))
    except (KubeconfigError, KubernetesError) as error:
        say(f"services that sleep are not woken before they change: {error.message}")


def wait_until_rolled(plan: RegionPlan, project: Path, say: Say) -> list[Problem]:
    """After a run: until new versions run, which then may sleep. What does not start is told; it goes on being held
    back by the version before it. Raises KubernetesError."""
    if not _rolled_services(plan):
        return []
    turns = asyncio.run(_to_the_last_step(plan, project, after, say))
    return [
        Problem(
            path=service.key,
            message=turn.why,
            found=version_of(service),
            remedy=f"`region service explain {plan.region} {service.key}`; then describe another version and run "
            "`region up` again",
        )
        for service, turn in turns
        if turn.do is Roll.REFUSE
    ]


def _rolled_services(plan: RegionPlan) -> tuple[ServicePlan, ...]:
    return tuple(service for service in plan.runtime.services if is_rolled(service))


@dataclass(frozen=True, kw_only=True)
class _Cluster:
    """Deployments and ScaledObjects of all services, by namespace and name, from one list of each."""

    deployments: dict[tuple[str, str], Object]
    scaled: dict[tuple[str, str], Object]

    @classmethod
    async def look(cls, api: KubernetesChange) -> _Cluster:
        found = [await api.items(path, labelSelector=OURS) for path in (f"{APPS}/deployments", f"{KEDA}/scaledobjects")]
        deployments, scaled = (
            {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in objects} for objects in found
        )
        return cls(deployments=deployments, scaled=scaled)


async def _to_the_last_step(
    plan: RegionPlan, project: Path, decide: Decide, say: Say
) -> list[tuple[ServicePlan, Turn]]:
    async with KubernetesChange.from_file(project / kubeconfig_path(plan.region)) as api:
        return await run_turns(api, _rolled_services(plan), decide, say)


async def run_turns(
    api: KubernetesChange, services: tuple[ServicePlan, ...], decide: Decide, say: Say, *, poll_s: float = POLL_S
) -> list[tuple[ServicePlan, Turn]]:
    """Each service to its last step. Those for which there is nothing to do cost no request of their own.

    Raises KubernetesError.
    """
    cluster, gate = await _Cluster.look(api), asyncio.Semaphore(AT_ONCE)

    async def one(service: ServicePlan) -> tuple[ServicePlan, Turn]:
        at = (service.namespace, service.name)
        deployment, scaled = cluster.deployments.get(at), cluster.scaled.get(at)
        if deployment is None or (scaled is None and decide is before):
            return service, Turn(do=Roll.NOTHING, why="it is new, or has no scaler")
        turn = decide(version_of(service), rolled(deployment, scaled, (), time.time()))
        if turn.do is Roll.NOTHING:
            return service, turn
        async with gate:
            return service, await _one(api, service, decide, say, poll_s)

    return await asyncio.gather(*(one(service) for service in services))


async def _one(api: KubernetesChange, service: ServicePlan, decide: Decide, say: Say, poll_s: float) -> Turn:
    said = ""
    while True:
        turn = decide(version_of(service), await _look(api, service))
        if turn.why != said:
            said = turn.why
            say(f"{service.key}: {turn.do.value}: {turn.why}")
        if patch := rolling_patch(service, turn.do, time.time()):
            await api.annotate(patch.path, patch.annotations)
        if turn.do in (Roll.NOTHING, Roll.RELEASE, Roll.REFUSE):
            return turn
        await asyncio.sleep(poll_s)


async def _look(api: KubernetesChange, service: ServicePlan) -> Rolled:
    space, name = service.namespace, service.name
    deployment, scaled, pods = await asyncio.gather(
        api.get(f"{APPS}/namespaces/{space}/deployments/{name}"),
        api.find(f"{KEDA}/namespaces/{space}/scaledobjects/{name}"),
        api.items(f"/api/v1/namespaces/{space}/pods", labelSelector=f"app.kubernetes.io/name={name}"),
    )
    return rolled(deployment, scaled, pods, time.time())
