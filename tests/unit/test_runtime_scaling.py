"""By what a service is scaled, how fast, and what keeps it awake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components.plan.tenants import ScalingPlan
from components.runtime.objects_scaling import NEVER, behavior, cooldown_s, is_scaled, scaled_object_spec, triggers
from components.spec.scaling import Queue, Shift
from components.spec.service import Kind
from tests.a_service import chat

SERVICE = chat(cpu=2, memory_mib=1024, max_replicas=8)
WORKER = replace(SERVICE, kind=Kind.WORKER, scaling=ScalingPlan())


def of(**scaling: Any) -> list[dict[str, Any]]:
    return triggers(replace(SERVICE, scaling=ScalingPlan(**scaling)), deployment="chat", route="chat")


def only(kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    (trigger,) = [t for t in found if t["type"] == kind]
    return trigger


def test_several_targets_are_several_triggers_of_which_the_highest_wins() -> None:
    found = of(
        concurrency=10,
        requests_per_second=5,
        p95_ms=200,
        cpu_percent=80,
        memory_percent=70,
        queue=Queue(query="sum(waiting)", per_replica=4),
        schedule=(Shift(start="08:00", end="18:30", replicas=3),),
    )
    assert [t["type"] for t in found] == ["external-push", *["prometheus"] * 4, "cron"]
    assert len({t.get("name", t["type"]) for t in found}) == len(found), "names tell them apart in KEDA's status"


def test_a_service_with_one_target_has_one_trigger_which_is_pushed() -> None:
    (trigger,) = of(concurrency=10)
    assert trigger["type"] == "external-push"


@pytest.mark.parametrize("scaling", [{"p95_ms": 200}, {"cpu_percent": 50}, {"memory_percent": 50}])
def test_load_alone_neither_wakes_a_service_nor_keeps_it_awake(scaling: dict[str, Any]) -> None:
    assert only("prometheus", of(**scaling))["metadata"]["activationThreshold"] == NEVER
    assert only("external-push", of(**scaling)), "a request does"


def test_the_response_time_is_a_ratio_to_its_target_and_needs_some_requests_to_count() -> None:
    trigger = only("prometheus", of(p95_ms=200, window_s=30))
    assert (trigger["metricType"], trigger["metadata"]["threshold"]) == ("Value", "200")
    query = trigger["metadata"]["query"]
    assert "histogram_quantile(0.95" in query
    assert query.count('route_namespace="tenant-demo",route_name="chat"}[30s]') == 2
    assert ">= 20" in query, "one slow answer of a cold start is no trend"


def test_cores_are_a_share_of_what_is_asked_for_summed_over_replicas() -> None:
    trigger = only("prometheus", of(cpu_percent=80))
    assert (trigger["metricType"], trigger["metadata"]["threshold"]) == ("AverageValue", "1.6")
    assert 'pod=~"chat-[0-9a-z]+-[0-9a-z]{5}",container="chat"' in trigger["metadata"]["query"]


def test_memory_is_a_share_of_what_is_asked_for() -> None:
    assert only("prometheus", of(memory_percent=50))["metadata"]["threshold"] == str(512 * 2**20)


def test_a_rate_is_never_of_fewer_measurements_than_containers_have() -> None:
    assert "[60s]" in only("prometheus", of(cpu_percent=80, window_s=10))["metadata"]["query"]
    assert "[300s]" in only("prometheus", of(cpu_percent=80, window_s=300))["metadata"]["query"]


def test_a_tenants_query_sees_series_of_the_tenant_only_however_keda_asks_it() -> None:
    query = 'sum(waiting{queue="a=b&c"}) or vector(0)'
    trigger = only("prometheus", of(queue=Queue(query=query, per_replica=4)))
    # as KEDA's scaler builds it: the address, its path, and its own arguments
    asked = urlsplit(f"{trigger['metadata']['serverAddress']}/api/v1/query?query=up&time=2026-01-01T00:00:00Z")
    told = parse_qs(asked.query)
    assert (asked.hostname, asked.path) == ("victoria-metrics.metrics", "/api/v1/query")
    assert told["extra_label"] == ["tenant=demo"]
    assert told["query"] == [query], "nothing that KEDA appends replaces it"
    assert trigger["metadata"]["threshold"] == "4"


def test_a_queue_wakes_a_worker() -> None:
    plan = replace(WORKER, scaling=ScalingPlan(queue=Queue(query="sum(waiting)", per_replica=4)))
    (trigger,) = triggers(plan, deployment="chat", route="chat")
    assert "activationThreshold" not in trigger["metadata"], "any waiting item is one too many for a sleeping worker"


def test_a_shift_is_a_time_of_day_in_utc() -> None:
    trigger = only("cron", of(schedule=(Shift(start="08:00", end="18:30", replicas=3),)))
    assert trigger["metadata"] == {
        "timezone": "UTC",
        "start": "0 8 * * *",
        "end": "30 18 * * *",
        "desiredReplicas": "3",
    }


def test_a_worker_without_a_target_keeps_its_number() -> None:
    assert not is_scaled(WORKER)
    assert is_scaled(SERVICE)


def test_more_replicas_come_at_once_and_fewer_only_after_the_window() -> None:
    found = behavior(replace(SERVICE, scaling=ScalingPlan(concurrency=1, window_s=90)))
    assert found["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert found["scaleDown"]["stabilizationWindowSeconds"] == 90


def test_a_step_bounds_both_directions_and_without_one_the_most_is_reached_at_once() -> None:
    bounded = behavior(replace(SERVICE, scaling=ScalingPlan(step=2)))
    free = behavior(SERVICE)
    for direction in ("scaleUp", "scaleDown"):
        assert bounded[direction]["policies"] == [{"type": "Pods", "value": 2, "periodSeconds": 15}]
        assert free[direction]["policies"] == [{"type": "Pods", "value": 8, "periodSeconds": 15}]


@pytest.mark.parametrize(
    ("idle_s", "rate", "cooldown"),
    [(300, None, 300), (300, 5, 240), (20, 5, 0)],
    ids=["by requests in flight", "less the window of the rate", "the window is longer"],
)
def test_it_sleeps_when_it_has_been_idle_for_as_long_as_described(idle_s: int, rate: int | None, cooldown: int) -> None:
    scaling = ScalingPlan(concurrency=1, requests_per_second=rate, window_s=60)
    assert cooldown_s(replace(SERVICE, idle_after_s=idle_s, scaling=scaling)) == cooldown


def test_bounds_are_those_of_the_plan() -> None:
    spec = scaled_object_spec(replace(SERVICE, min_replicas=1, max_replicas=5))
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (1, 5)
    assert spec["scaleTargetRef"] == {"name": "chat"}
