"""How a new version takes over: what stands in the cluster, and what a step changes in it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from components.clients.kubeconfig import Kubeconfig
from components.clients.kubernetes_change import KubernetesChange
from components.plan.rollout import (
    Do,
    Standing,
    Track,
    decide,
    first_weights,
    object_names,
    route_name,
)
from components.plan.serving import PAUSED_REPLICAS
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import version_of
from components.runtime.objects_rollout import (
    NEARLY_ALL,
    NEARLY_NONE,
    answers_query,
    figure,
    patches,
    standing,
    tracks_to_leave,
)
from components.runtime.objects_routes import TRACK_HEADER, interceptor_route_spec, route_spec
from components.spec.rollout import Rollout, Strategy
from components.spec.service import Kind
from stacks.rollout import is_refused, take_over
from tests.a_service import chat

CANARY = Rollout(strategy=Strategy.CANARY, weights=(10, 50), pause_s=60, max_error_percent=5)
BLUE_GREEN = Rollout(strategy=Strategy.BLUE_GREEN, pause_s=60)
SERVICE = chat(rollout=CANARY)
OLD, NEW = "0ld", "new"
NOW = 1_000_000.0


def test_a_service_with_two_versions_has_two_of_all_but_its_host() -> None:
    assert object_names(SERVICE) == ("chat-a", "chat-b")
    assert route_name(SERVICE) == "chat-shares"
    assert object_names(replace(SERVICE, rollout=Rollout())) == ("chat",)
    assert object_names(replace(SERVICE, kind=Kind.WORKER)) == ("chat",), "a worker has no requests to share"
    rules = [interceptor_route_spec(SERVICE, target=f"chat-{t}", track=t)["rules"] for t in Track]
    headers = [rule["headers"] for (rule,) in rules]
    assert headers == [[{"name": TRACK_HEADER, "value": "a"}], [{"name": TRACK_HEADER, "value": "b"}]]
    (rule,) = route_spec(SERVICE, "demo", "gateway", first_weights())["rules"]
    assert [backend["weight"] for backend in rule["backendRefs"]] == [100, 0]
    sets = [b["filters"][0]["requestHeaderModifier"]["set"] for b in rule["backendRefs"]]
    assert sets == headers, "set, not added: what a client says of its track is overwritten"


class Killed(BaseException):
    """The run is no more."""


class Cluster:
    """One service with two tracks, as the API tells of it; takes merge patches. A stand-in for the API server: it has
    no controllers, so a test says what becomes of pods."""

    def __init__(self, live_version: str, new_version: str) -> None:
        self.route: dict[str, Any] = {
            "metadata": {"name": "chat-shares", "annotations": {}},
            "spec": route_spec(SERVICE, "demo", "gateway", first_weights()),
        }
        self.scaled: dict[Track, dict[str, Any]] = {
            track: {"metadata": {"annotations": {}}, "spec": {"minReplicaCount": 0}} for track in Track
        }
        self.versions = {Track.A: live_version, Track.B: new_version}
        self.pods: list[dict[str, Any]] = []
        self.answers, self.errors = 0, 0
        self.patched: list[tuple[str, dict[str, Any]]] = []
        self.changes_left: int | None = None
        """Until the run is killed; None: it is not."""

    def shares(self) -> list[int]:
        return [backend["weight"] for backend in self.route["spec"]["rules"][0]["backendRefs"]]

    def deployment(self, track: Track) -> dict[str, Any]:
        labels = {"gpuregion.dev/version": self.versions[track]}
        return {"spec": {"template": {"metadata": {"labels": labels}}}}

    def handle(self, request: httpx.Request) -> httpx.Response:
        path, name = request.url.path, request.url.path.rpartition("/")[2]
        if "httproutes" in path:
            thing = self.route
        elif "scaledobjects" in path:
            thing = self.scaled[Track(name[-1])]
        elif "deployments" in path:
            return httpx.Response(200, json=self.deployment(Track(name[-1])))
        elif path.endswith("/pods"):
            return httpx.Response(200, json={"items": self.pods, "metadata": {}})
        elif path.endswith("/query"):
            count = self.errors if '"5..' in request.url.params["query"] else self.answers
            return httpx.Response(200, json={"data": {"result": [{"value": [0, str(count)]}]}})
        else:
            return httpx.Response(404, json={"message": f"no {path}"})
        if request.method == "PATCH":
            if self.changes_left == 0:
                raise Killed
            if self.changes_left is not None:
                self.changes_left -= 1
            body = json.loads(request.content)
            self.patched.append((name, body))
            for key, value in body["metadata"]["annotations"].items():
                thing["metadata"]["annotations"][key] = value
            thing["metadata"]["annotations"] = {
                k: v for k, v in thing["metadata"]["annotations"].items() if v is not None
            }
            thing.setdefault("spec", {}).update(body.get("spec", {}))
        return httpx.Response(200, json=thing)

    def client(self) -> KubernetesChange:
        access = Kubeconfig(server="https://api.test", ca="", certificate="", key="")
        return KubernetesChange(access, transport=httpx.MockTransport(self.handle))


def ready_pod(restarts: int = 0) -> dict[str, Any]:
    since = datetime.fromtimestamp(0, UTC).isoformat()
    return {
        "metadata": {"name": "chat-b-1"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": since}],
            "containerStatuses": [{"restartCount": restarts, "state": {"running": {}}}],
        },
    }


def waiting_pod(reason: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "chat-b-1"},
        "status": {"containerStatuses": [{"restartCount": 0, "state": {"waiting": {"reason": reason}}}]},
    }


def rollout(**changes: Any) -> ServicePlan:
    return replace(SERVICE, rollout=CANARY.model_copy(update=changes))


async def test_a_good_version_takes_over_in_steps_and_a_second_run_changes_nothing() -> None:
    plan, said = rollout(pause_s=0), list[str]()
    cluster = Cluster(OLD, version_of(plan))
    cluster.pods, cluster.answers = [ready_pod()], 100
    async with cluster.client() as api:
        step = await take_over(api, plan, said.append, poll_s=0)
        assert step.do is Do.PROMOTE
        assert cluster.shares() == [0, 100]
        assert cluster.route["metadata"]["annotations"]["gpuregion.dev/live-track"] == "b"
        assert PAUSED_REPLICAS not in cluster.scaled[Track.B]["metadata"]["annotations"], "it may sleep again"
        given = [
            b["spec"]["rules"][0]["backendRefs"][1]["weight"]
            for _, b in cluster.patched
            if "rules" in b.get("spec", {})
        ]
        assert given == [NEARLY_NONE, 10, 50, NEARLY_ALL, 100], "it comes, and the other goes, with next to no requests"
        count = len(cluster.patched)
        assert (await take_over(api, plan, said.append, poll_s=0)).do is Do.NOTHING
        assert len(cluster.patched) == count
    assert "demo/chat" in said[0]


async def test_only_the_version_that_answers_is_kept_from_sleeping() -> None:
    plan = replace(rollout(pause_s=0), min_replicas=2)
    cluster = Cluster(OLD, version_of(plan))
    cluster.pods, cluster.answers = [ready_pod()], 100
    async with cluster.client() as api:
        await take_over(api, plan, lambda _: None, poll_s=0)
    assert [cluster.scaled[track]["spec"]["minReplicaCount"] for track in Track] == [0, 2]


async def test_a_version_whose_image_is_missing_is_taken_back_without_a_request() -> None:
    plan = rollout(pause_s=0)
    cluster = Cluster(OLD, version_of(plan))
    cluster.pods = [waiting_pod("ImagePullBackOff")]
    async with cluster.client() as api:
        step = await take_over(api, plan, lambda _: None, poll_s=0)
    assert is_refused(plan, step)
    assert cluster.shares() == [100, 0]
    given = [
        b["spec"]["rules"][0]["backendRefs"][1]["weight"] for _, b in cluster.patched if "rules" in b.get("spec", {})
    ]
    assert set(given) == {0}
    assert cluster.route["metadata"]["annotations"]["gpuregion.dev/taken-back"] == version_of(plan)
    assert PAUSED_REPLICAS not in cluster.scaled[Track.B]["metadata"]["annotations"], "it holds no GPU for nothing"


async def test_a_version_that_answers_with_errors_is_taken_back() -> None:
    plan = rollout(pause_s=0)
    cluster = Cluster(OLD, version_of(plan))
    cluster.pods, cluster.answers, cluster.errors = [ready_pod()], 100, 50
    async with cluster.client() as api:
        step = await take_over(api, plan, lambda _: None, poll_s=0)
    assert step.do is Do.TAKE_BACK
    assert "50.0 %" in step.why
    assert cluster.shares() == [100, 0]


async def test_a_run_that_was_killed_is_taken_up_where_it_was() -> None:
    plan = rollout(pause_s=0)
    cluster = Cluster(OLD, version_of(plan))
    cluster.pods, cluster.answers = [ready_pod()], 100
    seen = Standing(live=Track.A, versions=cluster.versions, share=10, awake=True, ready_s=60)
    step = decide(version_of(plan), plan.rollout, replace(seen, share_since_s=1))
    first = patches(plan, cluster.route, seen, step, NOW)[0]  # killed before the second
    cluster.route["metadata"]["annotations"].update(first.annotations)
    cluster.route["spec"].update(first.spec)
    assert cluster.shares() == [50, 50]
    async with cluster.client() as api:
        assert (await take_over(api, plan, lambda _: None, poll_s=0)).do is Do.PROMOTE
    given = [
        b["spec"]["rules"][0]["backendRefs"][1]["weight"] for _, b in cluster.patched if "rules" in b.get("spec", {})
    ]
    assert given == [NEARLY_ALL, 100], "it does not begin anew"


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN], ids=lambda each: each.strategy.value)
async def test_a_run_that_is_killed_between_any_two_changes_is_taken_up(strategy: Rollout) -> None:
    plan = replace(SERVICE, rollout=strategy.model_copy(update={"pause_s": 0}))
    for killed_after in range(1, 12):
        cluster = Cluster(OLD, version_of(plan))
        cluster.pods, cluster.answers = [ready_pod()], 100
        cluster.changes_left = killed_after
        with suppress(Killed):
            async with cluster.client() as api:
                await take_over(api, plan, lambda _: None, poll_s=0)
        cluster.changes_left = None
        async with cluster.client() as api:
            await take_over(api, plan, lambda _: None, poll_s=0)
        assert cluster.shares() == [0, 100], f"killed after {killed_after} changes"
        assert PAUSED_REPLICAS not in cluster.scaled[Track.B]["metadata"]["annotations"]


async def test_a_version_that_is_taken_back_stays_so_where_the_run_is_killed_meanwhile() -> None:
    plan = rollout(pause_s=0)
    verdicts = 0
    for killed_after in range(4, 9):
        cluster = Cluster(OLD, version_of(plan))
        cluster.pods, cluster.answers, cluster.errors = [ready_pod()], 100, 50
        cluster.changes_left = killed_after
        with suppress(Killed):
            async with cluster.client() as api:
                await take_over(api, plan, lambda _: None, poll_s=0)
        cluster.changes_left, cluster.errors = None, 0  # the count of errors is not kept for ever
        if "gpuregion.dev/taken-back" in cluster.route["metadata"]["annotations"]:
            verdicts += 1
            async with cluster.client() as api:
                await take_over(api, plan, lambda _: None, poll_s=0)
            assert cluster.shares() == [100, 0], f"killed after {killed_after} changes"
    assert verdicts >= 3, "killed between the verdict and its end"


def test_a_pod_that_was_restarted_does_not_count_as_ready() -> None:
    cluster = Cluster(OLD, NEW)
    found = standing(
        route=cluster.route,
        deployments={track: cluster.deployment(track) for track in Track},
        scaled=None,
        pods=[ready_pod(restarts=1)],
        answers=(0, 0),
        now_s=NOW,
    )
    assert found.ready_s is None
    assert found.versions == {Track.A: OLD, Track.B: NEW}


def test_a_run_leaves_the_version_that_answers_and_replaces_the_other() -> None:
    cluster = Cluster(OLD, NEW)
    deployments = {track: cluster.deployment(track) for track in Track}
    assert tracks_to_leave(SERVICE, None, {}) == frozenset(), "nothing stands yet"
    assert tracks_to_leave(SERVICE, cluster.route, deployments) == {Track.A}
    cluster.route["metadata"]["annotations"]["gpuregion.dev/live-track"] = "b"
    assert tracks_to_leave(SERVICE, cluster.route, deployments) == {Track.B}


def test_a_run_leaves_both_once_the_version_described_answers() -> None:
    cluster = Cluster(version_of(SERVICE), OLD)
    deployments = {track: cluster.deployment(track) for track in Track}
    assert tracks_to_leave(SERVICE, cluster.route, deployments) == {Track.A, Track.B}


def test_errors_are_counted_of_one_track_since_its_share_was_set() -> None:
    query = answers_query(SERVICE, Track.B, 42.4, "5..")
    assert query == (
        'sum(increase(interceptor_request_count_total{route_namespace="tenant-demo",route_name="chat-b",code=~"5.."}[42s]))'
    )
    assert figure({"data": {"result": []}}) == 0
    assert figure({"data": {"result": [{"value": [1, "7.5"]}]}}) == 7.5
