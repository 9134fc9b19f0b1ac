"""The arithmetic of the platform's benchmarks, and that what they make beside a region is what the plan makes."""

from __future__ import annotations

import pytest

from benchmarks.beside import NAMESPACE, camel, like, objects, of_region
from benchmarks.burst import settled
from benchmarks.cold_start import as_upstream
from benchmarks.gateway_overhead import limit
from components.plan import RegionPlan
from tests.load import Account, Sent


def sent(due: float, took: float, outcome: str = "200", late: float = 0.0) -> Sent:
    return Sent(due=due, late=late, took=took, outcome=outcome)


def test_a_burst_is_settled_from_the_first_window_after_which_all_are_good() -> None:
    requests = [sent(n / 10, 2.0 if n / 10 < 7 else 0.1) for n in range(200)]
    assert settled(requests, target_s=0.5, good=0.95) == 8.0, "windows of 2 s: the one from 6 to 8 s is not good"


def test_a_burst_that_is_bad_at_its_end_is_not_settled() -> None:
    assert settled([sent(n / 10, 0.1) for n in range(100)] + [sent(10.5, 0.1, "503")], target_s=0.5, good=0.95) is None


def test_a_burst_without_a_bad_window_is_settled_from_its_beginning() -> None:
    assert settled([sent(n / 10, 0.1) for n in range(100)], target_s=0.5, good=0.95) == 0.0


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (sent(0, 0.01), ""),
        (sent(0, 0.01, "503"), "requests were lost"),
        (sent(0, 0.01, late=0.5), "the generator had no processor left"),
        (sent(0, 3.0), "answers queued"),
    ],
)
def test_a_rate_is_sustained_while_nothing_is_lost_late_or_queued(request_: Sent, why: str) -> None:
    assert limit(Account(requests=[request_], seconds=1)) == why


def test_keys_of_bodies_are_the_api_s_and_values_stay() -> None:
    body = {"termination_grace_period_seconds": 5, "env": [{"name": "POD_NAME"}], "labels": {"a.b/c-d": "x_y"}}
    assert camel(body) == {
        "terminationGracePeriodSeconds": 5,
        "env": [{"name": "POD_NAME"}],
        "labels": {"a.b/c-d": "x_y"},
    }


def test_a_service_beside_a_region_is_made_in_its_own_namespace_but_for_its_route(lab_plan: RegionPlan) -> None:
    hello = of_region(lab_plan, "hello-gpu")
    placed = objects(lab_plan, like(hello, "x", gpus=1, gpu=hello.gpu))
    assert {thing["kind"]: thing["metadata"]["namespace"] for _, thing in placed} == {
        "ResourceClaimTemplate": NAMESPACE,
        "Deployment": NAMESPACE,
        "Service": NAMESPACE,
        "InterceptorRoute": NAMESPACE,
        "ScaledObject": NAMESPACE,
        "HTTPRoute": "gateway",
    }


def test_the_peer_has_upstreams_settings_and_the_same_program(lab_plan: RegionPlan) -> None:
    hello = of_region(lab_plan, "hello-gpu")
    service = like(hello, "peer", gpus=1, gpu=hello.gpu)
    peer = {thing["kind"]: thing["spec"] for _, thing in as_upstream(objects(lab_plan, service), service)}
    pod = peer["Deployment"]["template"]["spec"]
    assert not {"automountServiceAccountToken", "enableServiceLinks"} & set(pod)
    assert pod["containers"][0]["readinessProbe"] == {"httpGet": {"path": "/healthz", "port": 8080}}
    assert pod["containers"][0]["image"] == hello.image
    assert not {"pollingInterval", "cooldownPeriod", "advanced"} & set(peer["ScaledObject"])
    assert peer["ScaledObject"]["triggers"][0]["metadata"]["scalerAddress"] == "peer-scaler.keda:9090"
