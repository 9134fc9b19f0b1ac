"""Cold starts in number: two hundred one after the other, twenty services at once, a start of half a minute, and a
first host without a free GPU. None of them may be an error.

Uses the lab that is up; describes a tenant of its own and removes it. COLD_STARTS sets the number of the first.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator

import pytest

from components.clients.web import Answer, call
from tests.e2e.services import GATEWAY, HELLO, described, kubectl, put_to_sleep
from tests.load import percentile

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(3600)]

COLD_STARTS = int(os.environ.get("COLD_STARTS", "200"))
AT_ONCE = 20
START_S = 30
"""How long the slow service takes until it listens, as a model does that loads its weights."""
GPUS = 4
"""Of each of the lab's workers; the tenant may claim those of one."""
NAMESPACE = "tenant-e2e"
SLEEPERS = tuple(f"sleeper-{number:02}" for number in range(AT_ONCE))


def _tenant() -> str:
    services = [
        {"name": name, "image": "hello-gpu", "scaling": {"max": 1, "concurrency": 10, "idle_after_s": 60}}
        for name in SLEEPERS
    ]
    slow = {
        "name": "slow",
        "image": "hello-gpu",
        "env": {"START_TAKES": f"{START_S}s"},
        "scaling": {"max": 1, "concurrency": 10, "idle_after_s": 60},
    }
    # All GPUs of one host in one pod, so whatever host it lands on is full.
    filler = {"name": "filler", "image": "hello-gpu", "gpu": {"count": GPUS}, "scaling": {"max": 1, "concurrency": 10}}
    quota = {"pods": AT_ONCE + 10, "gpus": GPUS}
    return json.dumps({"tenant": "e2e", "quota": quota, "services": [*services, slow, filler]})  # JSON is YAML


@pytest.fixture(scope="module", autouse=True)
def tenant(lab: None) -> Iterator[None]:
    """Twenty services that sleep, one that starts slowly, one that takes a host's GPUs."""
    with described(_tenant()):
        yield


async def _all(hosts: tuple[str, ...]) -> list[Answer]:
    return await asyncio.gather(*(call(GATEWAY, host=host, timeout_s=120) for host in hosts))


def _called(*names: str) -> list[Answer]:
    return asyncio.run(_all(tuple(f"{name}.e2e.lab.internal" for name in names)))


def test_two_hundred_cold_starts_one_after_the_other_are_answered_without_an_error() -> None:
    took = list[float]()
    for number in range(COLD_STARTS):
        put_to_sleep("tenant-demo", "hello-gpu")
        answer = asyncio.run(call(GATEWAY, host=HELLO, timeout_s=60))
        assert answer.status == 200, f"cold start {number + 1} was answered {answer.status}: {answer.text}"
        took.append(answer.seconds)
    print(
        f"{COLD_STARTS} cold starts, no error: p50 {percentile(took, 50):.2f} s, p95 {percentile(took, 95):.2f} s, "
        f"slowest {max(took):.2f} s"
    )


def test_twenty_services_that_wake_at_once_are_all_answered() -> None:
    put_to_sleep(NAMESPACE, *SLEEPERS)
    answers = _called(*SLEEPERS)
    took = [answer.seconds for answer in answers]
    print(f"{AT_ONCE} services at once: p50 {percentile(took, 50):.2f} s, slowest {max(took):.2f} s")
    assert {answer.status for answer in answers} == {200}


def test_a_request_waits_for_a_start_of_half_a_minute() -> None:
    put_to_sleep(NAMESPACE, "slow")
    (answer,) = _called("slow")
    print(f"a start of {START_S} s: answered after {answer.seconds:.1f} s")
    assert answer.status == 200, f"answered {answer.status}: {answer.text}"
    assert START_S <= answer.seconds < START_S + 15


def test_a_service_wakes_on_another_host_where_the_first_has_no_free_gpu() -> None:
    put_to_sleep("tenant-demo", "hello-gpu")
    (filled,) = _called("filler")
    full = json.loads(filled.text)
    assert len(full["gpus"]) == GPUS
    began = time.monotonic()
    answer = asyncio.run(call(GATEWAY, host=HELLO, timeout_s=60))
    print(f"first host full: answered from the other after {time.monotonic() - began:.2f} s")
    assert answer.status == 200
    assert json.loads(answer.text)["node"] != full["node"]
    put_to_sleep(NAMESPACE, "filler")
    kubectl("-n", NAMESPACE, "wait", "--for=delete", "resourceclaims", "--all", "--timeout=30s")  # GPUs are free again
