"""How a new version replaces the one before within one Deployment, also while the service sleeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.clients.kubeconfig import Kubeconfig
from components.clients.kubernetes_change import KubernetesChange
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.rolling import WAKE_LIMIT_S, Roll, Rolled, after, before, is_rolled
from components.plan.rollout_labels import HELD_SINCE, VERSION_LABEL
from components.plan.serving import PAUSED_REPLICAS
from components.runtime.objects_pods import version_of
from components.spec.rollout import Rollout, Strategy
from components.spec.service import Kind
from stacks.rolling import run_turns, wake_those_to_change
from tests.a_service import chat

OLD, NEW = "0ld", "new"
ASLEEP = Rolled(version=OLD, replicas=0, is_through=True)
AWAKE = Rolled(version=OLD, replicas=1, ready=1, is_through=True)
HELD = replace(AWAKE, held_s=5.0)
STARTS = replace(HELD, version=NEW, is_through=False)


def test_a_service_that_sleeps_is_woken_before_it_gets_another_version() -> None:
    assert before(NEW, ASLEEP).do is Roll.HOLD_AWAKE
    assert before(NEW, replace(ASLEEP, held_s=1.0)).do is Roll.WAIT
    assert before(NEW, HELD).do is Roll.NOTHING, "awake: it may be changed now"


def test_nothing_is_woken_that_is_awake_or_stays_as_it_is() -> None:
    assert before(NEW, AWAKE).do is Roll.NOTHING
    assert before(OLD, ASLEEP).do is Roll.NOTHING


def test_what_somebody_holds_asleep_is_left_asleep() -> None:
    assert before(NEW, replace(ASLEEP, is_scaled_by_hand=True)).do is Roll.NOTHING


@pytest.mark.parametrize("seen", [{"held_s": WAKE_LIMIT_S + 1.0}, {"held_s": 3.0, "waits": ("ErrImagePull",)}])
def test_a_version_that_does_not_wake_either_is_not_waited_for(seen: dict[str, Any]) -> None:
    assert before(NEW, replace(ASLEEP, **seen)).do is Roll.RELEASE


def test_a_version_that_runs_may_sleep_again() -> None:
    assert after(NEW, STARTS).do is Roll.WAIT
    assert after(NEW, replace(STARTS, is_through=True)).do is Roll.RELEASE
    assert after(NEW, replace(STARTS, is_through=True, held_s=None)).do is Roll.NOTHING


def test_no_replica_proves_no_version() -> None:
    assert after(NEW, replace(STARTS, replicas=0, is_through=True)).do is Roll.WAIT, "held, and not started yet"
    assert after(NEW, replace(ASLEEP, version=NEW)).do is Roll.NOTHING, "asleep, and nobody asked for a proof"
    assert after(NEW, replace(STARTS, replicas=0, is_through=True, held_s=1000.0)).do is Roll.REFUSE


@pytest.mark.parametrize("wait", ["ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff"])
def test_a_version_that_does_not_start_is_refused_by_what_it_waits_for(wait: str) -> None:
    turn = after(NEW, replace(STARTS, waits=("ContainerCreating", wait)))
    assert (turn.do, wait in turn.why) == (Roll.REFUSE, True)


def test_a_version_that_kubernetes_gave_up_is_refused() -> None:
    assert after(NEW, replace(STARTS, is_late=True)).do is Roll.REFUSE


def test_only_what_has_one_deployment_and_keeps_old_replicas_is_rolled() -> None:
    assert is_rolled(chat())
    assert is_rolled(chat(kind=Kind.WORKER, rollout=Rollout(strategy=Strategy.CANARY))), "a worker has no shares"
    assert not is_rolled(chat(rollout=Rollout(strategy=Strategy.BLUE_GREEN)))
    assert not is_rolled(chat(rollout=Rollout(strategy=Strategy.IMMEDIATE)))
    assert not is_rolled(chat(kind=Kind.JOB))


class Cluster:
    """One service, asleep, as the API tells of it. A stand-in for the API server, KEDA and the Deployment's controller:
    what is held at a number of replicas has them, ready, unless its version is one that does not start."""

    def __init__(self, version: str, *, broken: tuple[str, ...] = ()) -> None:
        self.version, self.broken = version, broken
        self.running = ""
        """Version of the replica that is ready."""
        self.annotations: dict[str, str] = {}
        self.asked = 0

    def change(self, version: str) -> None:
        """What Pulumi does."""
        self.version = version

    @property
    def _replicas(self) -> int:
        return int(self.annotations.get(PAUSED_REPLICAS, 0))

    def _settle(self) -> None:
        if not self._replicas:
            self.running = ""
        elif self.version not in self.broken:
            self.running = self.version

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        kind = next(k for k in ("scaledobjects", "deployments", "pods") if k in request.url.path)
        if request.method == "PATCH":
            told = json.loads(request.content)["metadata"]["annotations"]
            self.annotations = {k: v for k, v in {**self.annotations, **told}.items() if v is not None}
        self._settle()
        thing = {"scaledobjects": self._scaled, "deployments": self._deployment, "pods": self._pod}[kind]()
        is_list = request.url.path.endswith(kind)
        return httpx.Response(200, json={"items": [thing], "metadata": {}} if is_list else thing)

    def _scaled(self) -> dict[str, Any]:
        return {"metadata": {"name": "chat", "namespace": "tenant-demo", "annotations": self.annotations}}

    def _deployment(self) -> dict[str, Any]:
        is_new = self.running == self.version
        return {
            "metadata": {"name": "chat", "namespace": "tenant-demo", "generation": 3},
            "spec": {
                "replicas": self._replicas,
                "template": {"metadata": {"labels": {VERSION_LABEL: self.version}}},
            },
            "status": {
                "observedGeneration": 3,
                "replicas": self._replicas + (bool(self.running) and not is_new),
                "readyReplicas": int(bool(self.running)),
                "updatedReplicas": self._replicas,
                "availableReplicas": int(bool(self.running)),
            },
        }

    def _pod(self) -> dict[str, Any]:
        is_bad = self.version in self.broken
        state: dict[str, Any] = {"waiting": {"reason": "CrashLoopBackOff"}} if is_bad else {"running": {}}
        return {
            "metadata": {"name": "chat-1", "labels": {VERSION_LABEL: self.version}},
            "status": {"containerStatuses": [{"restartCount": 0, "state": state}]},
        }

    async def turns(self, decide: Callable[[str, Rolled], Any]) -> Roll:
        access = Kubeconfig(server="https://api.test", ca="", certificate="", key="")
        async with KubernetesChange(access, transport=httpx.MockTransport(self.handle)) as api:
            ((_, turn),) = await run_turns(api, (SERVICE,), decide, lambda _: None, poll_s=0)
        return turn.do


SERVICE = chat()
WANTED = version_of(SERVICE)


async def test_a_good_version_takes_over_while_the_one_before_answers_and_then_sleeps() -> None:
    cluster = Cluster(OLD)
    await cluster.turns(before)
    assert cluster.running == OLD, "the version before answers while the new one is tried"
    cluster.change(WANTED)
    assert await cluster.turns(after) is Roll.RELEASE
    assert cluster.annotations == {}, "it may sleep"
    asked = cluster.asked
    assert await cluster.turns(before) is Roll.NOTHING
    assert await cluster.turns(after) is Roll.NOTHING
    assert cluster.asked == asked + 4, "a second run reads two lists before and two after, and nothing for each service"


async def test_a_bad_version_of_a_sleeping_service_never_takes_it_down() -> None:
    cluster = Cluster(OLD, broken=(WANTED,))
    await cluster.turns(before)
    cluster.change(WANTED)
    assert await cluster.turns(after) is Roll.REFUSE
    assert cluster.running == OLD, "the version before is held awake and answers"
    assert await cluster.turns(before) is Roll.NOTHING
    assert await cluster.turns(after) is Roll.REFUSE, "a second run says so again"
    cluster.broken = ()
    assert await cluster.turns(after) is Roll.RELEASE


async def test_a_run_that_was_killed_after_the_wake_is_taken_up() -> None:
    cluster = Cluster(OLD)
    cluster.annotations = {PAUSED_REPLICAS: "1", HELD_SINCE: "1"}
    cluster.change(WANTED)
    assert await cluster.turns(before) is Roll.NOTHING
    assert await cluster.turns(after) is Roll.RELEASE


async def test_who_gives_a_held_service_back_by_hand_is_not_overruled() -> None:
    cluster = Cluster(WANTED)
    cluster.annotations = {HELD_SINCE: "1"}
    assert await cluster.turns(after) is Roll.NOTHING


def test_what_opens_no_cluster_any_more_does_not_hold_up_the_run_that_may_mend_it(
    tmp_path: Path, lab_plan: RegionPlan
) -> None:
    plan = replace(lab_plan, runtime=replace(lab_plan.runtime, services=(SERVICE,)))
    path = tmp_path / kubeconfig_path(plan.region)
    path.parent.mkdir(parents=True)
    path.write_text("")  # as a power cut leaves it
    said: list[str] = []
    wake_those_to_change(plan, tmp_path, said.append)
    assert said == ["services that sleep are not woken before they change: there is no access to the cluster"]
