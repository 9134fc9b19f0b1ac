"""A service goes on answering, or answers again in time, whatever single part of the platform dies under load.

Each test states its rule, breaks one part while requests come at a steady rate, counts every request, and makes the
part whole again. Uses the lab that is up with its own service; those that take minutes are nightly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator

import pytest

from components.clients.web import Answer, call
from tests.e2e import damage
from tests.e2e.process import run
from tests.e2e.services import GATEWAY, HELLO, kubectl, put_to_sleep
from tests.load import Account, under_load
from tests.load_client import DROPPED, Target

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NAMESPACE, SERVICE = "tenant-demo", "hello-gpu"
RATE = 20.0
"""Requests a second: enough that a gap of 50 ms is seen, and few beside what the lab itself does."""
WAITING_RATE = 10.0
"""Requests a second that pile up while nobody starts what they wait for."""
BEFORE_S, AFTER_S = 3.0, 8.0
"""Seconds of load before something is broken, and after it."""
UNDER_WAY = 2
"""Requests that may be in the hands of a process that is killed, at this rate: its sockets stay open for some tens of
milliseconds in which it answers no more."""
API_DOWN_S = 60
SCALED_AGAIN_S = 60
"""From the return of KEDA's operator, which is started and elected first, to an answer."""
WAKE_S = 10
"""In which a sleeping service answers, on a lab that does other work too."""
PULL_S = 60
"""From the registry's return to an answer: the kubelet asks again after 10, 20 and 40 s."""
DEAD_WORKER_S = 90
"""From a worker's death to answers of the other one: 20 s until the node counts as dead, 20 s until its pods are given
up, and a start."""


@pytest.fixture(autouse=True)
def whole(lab: None) -> Iterator[None]:
    """The service is awake before, and all is whole after."""
    assert _answer().status == 200
    yield
    damage.wait_until_whole()


def _answer(timeout_s: float = 60) -> Answer:
    return asyncio.run(call(GATEWAY, host=HELLO, timeout_s=timeout_s))


def _node() -> str:
    """Where the service's replica runs."""
    return str(json.loads(_answer().text)["node"])


def _target(timeout_s: float = 30, *, repeats_refused: bool = False) -> Target:
    return Target(url=f"http://{GATEWAY}/", host=HELLO, timeout_s=timeout_s, repeats_refused=repeats_refused)


def _lost(account: Account) -> int:
    return sum(account.lost.values())


def test_an_interceptor_that_dies_under_load_loses_no_more_than_what_it_had_in_its_hands() -> None:
    with under_load(_target(), RATE) as account:
        time.sleep(BEFORE_S)
        damage.kill("keda", "app.kubernetes.io/instance=interceptor", "interceptor")
        time.sleep(AFTER_S)
    print(f"interceptor killed: {account}")
    assert _lost(account) <= UNDER_WAY, "the gateway offers what was not taken to the other interceptor"
    assert account.longest < 2


def test_a_proxy_that_dies_under_load_loses_no_request_of_a_client_that_connects_again() -> None:
    with under_load(_target(repeats_refused=True), RATE) as account:
        time.sleep(BEFORE_S)
        damage.kill("envoy-gateway-system", "app.kubernetes.io/component=proxy", "envoy")
        time.sleep(AFTER_S)
    print(f"proxy killed: {account}")
    assert set(account.lost) <= {DROPPED}, "only what the dead proxy had in its hands"
    assert _lost(account) <= UNDER_WAY
    assert account.longest < 5, "the other proxy takes new connections within seconds"


@pytest.mark.nightly
def test_requests_that_come_while_nobody_scales_wait_and_are_answered_when_somebody_does() -> None:
    put_to_sleep(NAMESPACE, SERVICE)
    with contextlib.ExitStack() as down:
        down.enter_context(damage.without_keda())
        with under_load(_target(timeout_s=110), rate=2) as account:
            time.sleep(10)
            assert not account.answered, "nobody wakes the service"
            down.close()
            _until_answered(account, SCALED_AGAIN_S)
    print(f"KEDA's operator down during a burst from zero: {account}")
    assert not account.lost


@pytest.mark.nightly
def test_requests_that_wait_in_an_interceptor_that_dies_are_offered_to_the_other_one() -> None:
    put_to_sleep(NAMESPACE, SERVICE)
    with contextlib.ExitStack() as down:
        down.enter_context(damage.without_keda())
        with under_load(_target(timeout_s=110), WAITING_RATE) as account:
            time.sleep(BEFORE_S)
            assert not account.requests, "all wait, by halves in each interceptor, since nobody wakes the service"
            damage.kill("keda", "app.kubernetes.io/instance=interceptor", "interceptor")
            time.sleep(AFTER_S)
            down.close()
            _until_answered(account, SCALED_AGAIN_S)
    print(f"interceptor killed while requests wait for a start: {account}")
    assert account.sent > WAITING_RATE * (BEFORE_S + AFTER_S)
    assert not account.lost, "a GET may be repeated, so none is answered 503"


@pytest.mark.nightly
def test_a_service_that_runs_goes_on_answering_while_the_api_server_is_down_for_a_minute() -> None:
    with under_load(_target(), RATE) as account, damage.without_api():
        time.sleep(API_DOWN_S)
    print(f"API server down for {API_DOWN_S} s: {account}")
    assert account.seconds > API_DOWN_S
    assert not account.lost
    assert account.silence < 2


@pytest.mark.nightly
def test_a_service_whose_worker_dies_answers_again_from_the_other_one() -> None:
    dead, loaded = _node(), time.monotonic()
    with under_load(_target(timeout_s=DEAD_WORKER_S, repeats_refused=True), rate=5) as account:
        time.sleep(BEFORE_S)
        with damage.without_power(dead):
            began = time.monotonic()
            while (node := _node_or_none()) in (dead, None):
                assert time.monotonic() - began < DEAD_WORKER_S, f"no answer from another worker in {DEAD_WORKER_S} s"
                time.sleep(0.5)
            took, settled = time.monotonic() - began, time.monotonic() - loaded
            time.sleep(AFTER_S)
    print(f"worker {dead} dead, answers from {node} after {took:.1f} s: {account}")
    assert account.silence < DEAD_WORKER_S
    late = [r.outcome for r in account.requests if r.due > settled and not r.is_answered]
    assert not late, f"requests were lost after the other worker had answered: {late}"


def _node_or_none() -> str | None:
    """The node that answers within moments, if one does."""
    done = run("curl", "-sS", "--max-time", "5", "-H", f"Host: {HELLO}", f"http://{GATEWAY}/", expect=range(256))
    try:
        return str(json.loads(done.stdout)["node"])
    except ValueError:
        return None


@pytest.mark.nightly
def test_a_service_whose_image_is_on_the_host_wakes_while_the_registry_is_down() -> None:
    put_to_sleep(NAMESPACE, SERVICE)
    with damage.without_registry():
        answer = _answer()
    print(f"woken without a registry in {answer.seconds:.2f} s")
    assert answer.status == 200
    assert answer.seconds < WAKE_S


@pytest.mark.nightly
def test_a_service_whose_image_cannot_be_pulled_says_so_and_wakes_when_the_registry_is_back() -> None:
    put_to_sleep(NAMESPACE, SERVICE)
    for node in kubectl("get", "nodes", "-l", "gpuregion.dev/gpu=true", "-o", "name").split():
        damage.forget_image(node.removeprefix("node/"), SERVICE)
    with under_load(_target(timeout_s=110), rate=0.5) as account:
        with damage.without_registry():
            _until_explained("image-missing")
        took = _until_answered(account, PULL_S)
    print(f"image absent, registry down and back: awake {took:.1f} s after that; {account}")
    assert not account.lost


def _until_answered(account: Account, within_s: float) -> float:
    """Seconds until the first request is answered."""
    began = time.monotonic()
    while not account.answered:
        assert time.monotonic() - began < within_s, f"nothing is answered within {within_s} s"
        time.sleep(0.2)
    return time.monotonic() - began


def _until_explained(cause: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while True:
        done = run("region", "service", "explain", "lab", "demo/hello-gpu", "--json", expect=(0, 1))
        if (found := json.loads(done.stdout)["cause"]) == cause:
            return
        assert time.monotonic() < deadline, f"it is explained as {found}, not {cause}"
        time.sleep(1)
