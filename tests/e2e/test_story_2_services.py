"""Services on the lab: they wake without an error, a bad version does not end a good one, and several targets scale.

Uses the lab that is up, or brings one up and takes it down again. What the tests need besides the lab's own service is
a tenant of their own, in a file that is there only while they run.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.clients.grpc_health import ask_health
from components.clients.web import CallError, call
from tests.e2e.process import run
from tests.e2e.services import GATEWAY, HELLO, described, kubectl, put_to_sleep, replicas

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

TENANT = """\
tenant: e2e
quota: {{pods: 10, gpus: 0}}
services:
  - name: steady
    image: {image}
    health: {{path: /healthz, grace_s: 5, interval_s: 2, restart_limit: 2}}
    scaling: {{min: 1, max: 1, concurrency: 50}}
  - name: sleeper
    image: {image}
    health: {{path: /healthz, grace_s: 5, interval_s: 2, restart_limit: 2}}
    scaling: {{min: 0, max: 1, concurrency: 50, idle_after_s: 5}}
  - name: calls
    image: hello-gpu
    ports: [{{protocol: http2}}]
    health: {{grpc: true, grace_s: 5, interval_s: 2, restart_limit: 2}}
    scaling: {{min: 0, max: 1, concurrency: 50, idle_after_s: 15}}
  - name: busy
    image: hello-gpu
    scaling: {{max: 3, concurrency: 20, requests_per_second: 2, cpu_percent: 90, window_s: 15, idle_after_s: 20}}
"""
GOOD, BAD = "hello-gpu", "pause"
"""The second starts and runs, but answers nothing."""
COLD_STARTS = 20


@pytest.fixture(scope="module")
def tenant(lab: None) -> Iterator[Path]:
    """A tenant with four services; gone at the end."""
    with described(TENANT.format(image=GOOD)) as path:
        yield path


def test_twenty_cold_starts_are_answered_without_an_error(lab: None) -> None:
    host, took = HELLO, list[float]()
    for _ in range(COLD_STARTS):
        put_to_sleep("tenant-demo", "hello-gpu")
        answer = asyncio.run(call(GATEWAY, host=host))
        assert answer.status == 200, f"a request to a sleeping service was answered {answer.status}: {answer.text}"
        assert json.loads(answer.text)["gpus"], "it has the GPU that it claims"
        took.append(answer.seconds)
    took.sort()
    print(f"{COLD_STARTS} cold starts: p50 {took[len(took) // 2]:.2f} s, slowest {took[-1]:.2f} s")


async def _called_for(host: str, seconds: float, parallel: int, pause_s: float) -> Counter[int]:
    """Answers by status, 0 for none, of so many clients that call one after the other."""
    seen: Counter[int] = Counter()
    end = time.monotonic() + seconds

    async def client() -> None:
        while time.monotonic() < end:
            try:
                seen[(await call(GATEWAY, host=host, timeout_s=30)).status] += 1
            except CallError:
                seen[0] += 1
            await asyncio.sleep(pause_s)

    await asyncio.gather(*(client() for _ in range(parallel)))
    return seen


def test_a_version_that_does_not_answer_never_takes_the_working_one_down(tenant: Path) -> None:
    hosts = [f"{name}.e2e.lab.internal" for name in ("steady", "sleeper")]
    for host in hosts:
        assert asyncio.run(call(GATEWAY, host=host)).status == 200
    put_to_sleep("tenant-e2e", "sleeper")
    tenant.write_text(TENANT.format(image=BAD))
    try:
        told = run("region", "up", "lab", "--layer", "runtime", expect=(3,)).stderr
        assert all(f"e2e/{name}: it does not start" in told for name in ("steady", "sleeper")), "the run says so"
        images = kubectl("-n", "tenant-e2e", "get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].image}")
        assert BAD in images, f"the bad version was not even tried: {images}"
        for host in hosts:
            seen = asyncio.run(_called_for(host, seconds=10, parallel=2, pause_s=0.1))
            print(f"answers of {host} while the bad version stood beside it: {dict(seen)}")
            assert set(seen) == {200}, f"requests were lost to a version that does not answer: {dict(seen)}"
    finally:
        tenant.write_text(TENANT.format(image=GOOD))
    run("region", "up", "lab", "--layer", "runtime")
    held = kubectl("-n", "tenant-e2e", "get", "scaledobject", "sleeper", "-o", "jsonpath={.metadata.annotations}")
    assert "paused-replicas" not in held, f"with a version that runs it may sleep again: {held}"


def test_a_service_of_grpc_wakes_at_a_call_and_the_kubelet_finds_it_well(tenant: Path) -> None:
    host = "calls.e2e.lab.internal"
    put_to_sleep("tenant-e2e", "calls")
    print(f"a call to a sleeping service of gRPC took {asyncio.run(ask_health(GATEWAY, host=host)).seconds:.2f} s")
    end = time.monotonic() + 12  # more looks than it may fail
    while time.monotonic() < end:
        asyncio.run(ask_health(GATEWAY, host=host))
        time.sleep(0.5)
    told = json.loads(kubectl("-n", "tenant-e2e", "get", "pods", "-l", "app.kubernetes.io/name=calls", "-o", "json"))
    ((status,),) = (pod["status"]["containerStatuses"] for pod in told["items"])
    assert (status["ready"], status["restartCount"]) == (True, 0), f"its probes by gRPC: {status}"


def test_of_several_targets_the_one_that_asks_for_most_scales(tenant: Path) -> None:
    async def load() -> tuple[Counter[int], int]:
        calls = asyncio.create_task(_called_for("busy.e2e.lab.internal", seconds=50, parallel=4, pause_s=0.1))
        most = 0
        while not calls.done():
            most = max(most, await asyncio.to_thread(replicas, "tenant-e2e", "busy"))
            await asyncio.sleep(1)
        return await calls, most

    seen, most = asyncio.run(load())
    print(f"answers: {dict(seen)}; at most {most} replicas")
    assert set(seen) == {200}, f"requests were lost while it scaled: {dict(seen)}"
    # 4 requests in flight at most are far below 20 a replica; some 10 a second are far above 2.
    assert most == 3, f"the rate asks for more than 3 replicas, there were {most}"
