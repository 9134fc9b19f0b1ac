"""Operation on the lab: a budget that is used up and a queue that is stuck, found and mended by their runbooks.

Uses a lab that is up, with its own tenant; leaves it as it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e import runbooks
from tests.e2e.process import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

NAMESPACE = "tenant-demo"
GATEWAY = "http://10.255.2.1/"
SERVICE = "demo/hello-gpu"
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "too-large",
        "namespace": NAMESPACE,
        "labels": {"kueue.x-k8s.io/queue-name": "tenant"},
    },
    "spec": {
        "suspend": True,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "resourceClaims": [{"name": "gpus", "resourceClaimTemplateName": "too-many"}],
                "containers": [
                    {
                        "name": "main",
                        "image": "placeholder",
                        "resources": {"claims": [{"name": "gpus"}]},
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    }
                ],
            }
        },
    },
}
"""Asks for more GPUs than its tenant may use: it waits for ever."""
CLAIM = {
    "apiVersion": "resource.k8s.io/v1",
    "kind": "ResourceClaimTemplate",
    "metadata": {"name": "too-many", "namespace": NAMESPACE},
    "spec": {"spec": {"devices": {"requests": [{"name": "gpus", "exactly": {"deviceClassName": "gpu", "count": 6}}]}}},
}


@pytest.fixture(autouse=True)
def lab() -> None:
    try:
        httpx.get("http://10.255.2.1/", timeout=5, trust_env=False)
    except httpx.HTTPError:
        pytest.skip("no lab is up: make up")


@pytest.fixture
def held() -> Iterator[None]:
    run("region", "tenant", "hold", "lab", "demo", "--yes")
    yield
    run("region", "tenant", "release", "lab", "demo", "--yes")


def explained() -> str:
    done = run("region", "service", "explain", "lab", SERVICE, "--json", expect=(0, 1))
    return str(json.loads(done.stdout)["cause"])


def until(cause: str, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while (found := explained()) != cause:
        assert time.monotonic() < deadline, f"it is {found}, not {cause}"
        time.sleep(2)


def test_a_budget_that_holds_is_found_by_its_runbook_and_released(held: None) -> None:
    until("asleep")
    with pytest.raises(httpx.TimeoutException):
        httpx.get(GATEWAY, headers={"Host": "hello-gpu.demo.lab.internal"}, timeout=10, trust_env=False)
    run("kubectl", "-n", NAMESPACE, "scale", "deployment", "hello-gpu", "--replicas=1")
    until("held-by-budget")
    shown = runbooks.diagnose("BudgetReached")
    assert "held" in shown["region tenant show lab demo"]
    assert "budget" in shown[next(command for command in shown if "resourcequotas" in command)]
    run("region", "tenant", "release", "lab", "demo", "--yes")
    answer = httpx.get(GATEWAY, headers={"Host": "hello-gpu.demo.lab.internal"}, timeout=120, trust_env=False)
    assert answer.status_code == 200


def test_a_queue_that_is_stuck_is_found_by_its_runbook(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [CLAIM, JOB]}))
    run("kubectl", "apply", "-f", str(tmp_path / "job.json"))
    try:
        time.sleep(10)
        shown = runbooks.diagnose("QueueStuck")
        assert "too-large" in shown["region tenant show lab demo"]
        assert "too-large" in shown[next(command for command in shown if "get workloads" in command)]
    finally:
        run("kubectl", "-n", NAMESPACE, "delete", "job/too-large", "resourceclaimtemplate/too-many", "--wait=true")


def test_the_status_page_of_a_lab_is_written(tmp_path: Path) -> None:
    run("region", "status", "lab", "--html", str(tmp_path / "status.html"))
    page = (tmp_path / "status.html").read_text()
    assert SERVICE in page
    assert "Not known" not in page
