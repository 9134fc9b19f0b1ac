"""Why a service is as it is: one file a case, objects as the API tells them in, one cause out."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from components.checks.explain import explain
from components.checks.explain_model import Cause, Explanation, Seen
from components.checks.explain_read import KINDS, own_events, own_workloads, read_services, seen_of
from components.spec.rollout import Rollout, Strategy
from tests.fake_cluster import FakeCluster
from tests.services import service

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "fixtures" / "explain").glob("*.yaml"))
OBJECTS = ("deployment", "job", "scaled", "interceptor", "route")
LISTS = ("pods", "events", "claims", "slices", "workloads", "quotas", "nodes")


def case(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text())


def seen(told: dict[str, Any]) -> Seen:
    parts: dict[str, Any] = {name: told.get(name) for name in OBJECTS}
    parts |= {name: tuple(told.get(name) or ()) for name in LISTS}
    of: dict[str, Any] = told.get("service") or {}
    return Seen(service=service(**of), now=_time(told["now"]), **parts)


def _time(value: Any) -> datetime:
    return datetime.fromisoformat(str(value).replace(" ", "T"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_a_service_has_one_cause_with_what_was_seen_and_a_next_step(path: Path) -> None:
    told = case(path)
    expect = told["expect"]
    found = explain(seen(told))
    assert (found.cause, found.ready, found.wanted) == (expect["cause"], expect["ready"], expect["wanted"]), found
    evidence = "\n".join(found.evidence)
    assert not [words for words in expect["evidence"] if words not in evidence], evidence
    assert bool(expect["evidence"]) == bool(found.evidence), "a cause is never told without what was seen"
    assert expect["next_step"] in found.next_step


def test_every_cause_has_a_case() -> None:
    assert {case(path)["expect"]["cause"] for path in CASES} == {str(cause) for cause in Cause}


def test_what_is_named_but_not_there_is_a_file_of_the_project() -> None:
    found = [explain(seen(case(path))) for path in CASES]
    named = {word.rstrip(";,.") for each in found for word in each.next_step.split() if "docs/runbooks" in word}
    assert named
    assert not [name for name in sorted(named) if not (ROOT / name).is_file()]


def test_only_what_needs_nobody_is_well() -> None:
    def one(cause: Cause) -> Explanation:
        return Explanation(cause=cause, says="", evidence=(), next_step="", ready=0, wanted=0)

    well = {cause for cause in Cause if one(cause).is_well}
    assert well == {Cause.ASLEEP, Cause.SERVING, Cause.STARTING, Cause.FINISHED}


def test_events_of_another_service_with_a_longer_name_are_not_its_own() -> None:
    def event(kind: str, name: str, at: str) -> dict[str, Any]:
        return {"metadata": {}, "involvedObject": {"kind": kind, "name": name}, "lastTimestamp": at, "reason": name}

    pods = [{"metadata": {"name": "chat-6f7-aa"}}]
    events = [
        event("Pod", "chat-6f7-aa", "3"),
        event("Pod", "chat-large-5d5-bb", "1"),
        event("ReplicaSet", "chat-6f7", "2"),
        event("ReplicaSet", "chat-large-5d5", "1"),
        event("ScaledObject", "chat", "1"),
    ]
    assert [e["reason"] for e in own_events(events, "chat", pods)] == ["chat", "chat-6f7", "chat-6f7-aa"]


def test_workloads_are_found_by_what_they_stand_for() -> None:
    workloads = [{"metadata": {"name": n, "labels": {"kueue.x-k8s.io/job-uid": n}}} for n in ("a", "b")]
    assert own_workloads(workloads, [{"metadata": {"uid": "b"}}]) == [workloads[1]]


def test_of_a_service_with_two_tracks_the_one_that_answers_is_seen() -> None:
    def thing(name: str, **labels: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": "tenant-demo", "labels": labels}}

    canary = dataclasses.replace(service(name="chat"), rollout=Rollout(strategy=Strategy.CANARY))
    route = thing("chat-shares")
    route["metadata"]["annotations"] = {"gpuregion.dev/live-track": "b"}
    own: dict[str, list[dict[str, Any]]] = {name: [] for name in KINDS}
    own["routes"] = [route]
    own["deployments"] = own["scaled"] = own["interceptors"] = [thing("chat-a"), thing("chat-b")]
    own["pods"] = [
        thing(f"chat-{track}-1", **{"app.kubernetes.io/name": "chat", "gpuregion.dev/track": track}) for track in "ab"
    ]
    found = seen_of(canary, datetime.now(UTC), own, {"nodes": [], "slices": [], "claims": []})
    assert found.deployment == thing("chat-b")
    assert [pod["metadata"]["name"] for pod in found.pods] == ["chat-b-1"]


async def test_a_thousand_services_are_read_in_as_many_questions_as_one() -> None:
    fake = FakeCluster()
    async with fake.client() as api:
        one = await read_services(api, [service()])
        asked = len(fake.asked)
        many = await read_services(api, [service(tenant=f"t{n}") for n in range(1000)])
    assert (len(one), len(many)) == (1, 1000)
    assert len(fake.asked) == 2 * asked
