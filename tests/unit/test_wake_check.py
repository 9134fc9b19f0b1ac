"""The check that wakes a service: what it calls, what it waits for, and what it says when that fails."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from components.checks import wake
from components.checks.result import CheckResult, Status
from components.clients.kubeconfig import Kubeconfig
from components.clients.kubernetes import Kubernetes
from components.clients.web import Answer, CallError
from components.errors import Problem
from components.plan.model import RegionPlan
from components.spec.service import Health, Protocol, ServicePort

ACCESS = Kubeconfig(server="https://api:6443", ca="", certificate="", key="")
GPU = json.dumps({"gpus": ["gpu-1"]})


class Cluster:
    """Answers for one service: how many pods it has at each look, and which device they claim."""

    def __init__(self, replicas: list[int], device: str = "gpu-1") -> None:
        self.replicas = replicas
        self.device = device

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if "/deployments/" in path:
            now = self.replicas.pop(0) if len(self.replicas) > 1 else self.replicas[0]
            return httpx.Response(200, json={"status": {"replicas": now}})
        if path.endswith("/pods"):
            return self._list({"metadata": {"name": "pod"}})
        allocation = {"devices": {"results": [{"device": self.device}]}}
        return self._list({"status": {"reservedFor": [{"name": "pod"}], "allocation": allocation}})

    def _list(self, thing: dict[str, Any]) -> httpx.Response:
        return httpx.Response(200, json={"items": [thing], "metadata": {}})


async def checked(
    plan: RegionPlan, monkeypatch: pytest.MonkeyPatch, cluster: Cluster, answer: Answer | CallError, *, idle_s: int = 15
) -> dict[str, CheckResult]:
    async def call(address: str, *, host: str, timeout_s: float) -> Answer:
        assert (address, host) == ("10.255.2.1", "hello-gpu.demo.lab.internal"), "as a client does"
        if isinstance(answer, CallError):
            raise answer
        return answer

    monkeypatch.setattr(wake, "call", call)
    monkeypatch.setattr(wake, "POLL_S", 0)
    monkeypatch.setattr(wake, "SLEEP_MARGIN_S", 0.01)
    service = replace(plan.runtime.services[0], idle_after_s=idle_s)
    async with Kubernetes(ACCESS, transport=httpx.MockTransport(cluster)) as api:
        results = await wake.check_wake(plan, service, api, wake=True)
    return {r.name.split(".")[1]: r for r in results}


def ok(text: str = GPU, status: int = 200) -> Answer:
    return Answer(status=status, text=text, seconds=0.7)


async def test_a_service_that_wakes_names_its_gpu_and_sleeps_again_is_good(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = await checked(lab_plan, monkeypatch, Cluster([0, 1, 1, 0]), ok())
    assert {name: r.status for name, r in results.items()} == dict.fromkeys(("wake", "gpus", "sleep"), Status.OK)


async def test_nothing_is_called_unless_asked(lab_plan: RegionPlan) -> None:
    async with Kubernetes(ACCESS, transport=httpx.MockTransport(Cluster([0]))) as api:
        (result,) = await wake.check_wake(lab_plan, lab_plan.runtime.services[0], api, wake=False)
    assert result.status is Status.SKIP


async def test_an_error_is_told_with_its_text_and_the_rest_is_not_looked_at(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = await checked(lab_plan, monkeypatch, Cluster([0]), ok("backend not ready", 504))
    assert list(results) == ["wake"]
    assert "HTTP 504 after 0.70 s: backend not ready" in results["wake"].found
    assert "FunctionDoesNotWake" in str(results["wake"].remedy)


async def test_no_answer_at_all_is_told_in_the_words_of_the_connection(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = CallError("no answer", [Problem(path="x", message="no answer", found="connection refused")])
    results = await checked(lab_plan, monkeypatch, Cluster([0]), error)
    assert results["wake"].found == "connection refused"


async def test_an_answer_that_names_a_gpu_of_somebody_else_is_told(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = await checked(lab_plan, monkeypatch, Cluster([0, 1, 0], device="gpu-3"), ok())
    assert results["gpus"].status is Status.FAIL
    assert results["gpus"].found == "claimed gpu-3 for 1 pod, the answer names gpu-1"


async def test_a_service_that_never_sleeps_cannot_be_woken(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = await checked(lab_plan, monkeypatch, Cluster([1]), ok(), idle_s=0)
    assert list(results) == ["sleep"]
    assert results["sleep"].found == "still has pods"


@pytest.mark.parametrize("health", [Health(grpc=True), Health(), None])
async def test_what_speaks_http2_is_asked_by_grpc_where_it_says_that_it_can_be(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch, health: Health | None
) -> None:
    asked: list[tuple[str, str]] = []

    async def ask_health(address: str, *, host: str, timeout_s: float) -> Answer:
        asked.append((address, host))
        return ok("it serves")

    monkeypatch.setattr(wake, "ask_health", ask_health)
    port = ServicePort(protocol=Protocol.HTTP2)
    service = replace(lab_plan.runtime.services[0], ports=(port,), health=health, gpus=0)
    async with Kubernetes(ACCESS, transport=httpx.MockTransport(Cluster([0, 1, 0]))) as api:
        first, *_ = await wake.check_wake(lab_plan, service, api, wake=True)
    if health and health.grpc:
        assert (first.status, asked) == (Status.OK, [("10.255.2.1", "hello-gpu.demo.lab.internal")])
    else:
        assert (first.status, asked) == (Status.SKIP, [])
        assert "grpc: true" in str(first.remedy)
