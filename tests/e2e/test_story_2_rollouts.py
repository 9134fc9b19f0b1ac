"""A new version by shares, on the lab: a good one takes over while requests go on, a bad one is taken back by itself.

Uses the lab that is up, or brings one up and takes it down again. Two services of a tenant of the test's own: one
brings versions in by growing shares of the requests (canary), one all at once beside the old version (blue-green).
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.clients.web import CallError, call
from tests.e2e.process import run
from tests.e2e.services import GATEWAY, described, kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

CANARY, BLUE_GREEN = "canary.e2e.lab.internal", "bluegreen.e2e.lab.internal"
CALLS_A_SECOND = 20
PAUSE_S = 30
"""Time for more answers of a canary than the ten from which it is judged, on a lab that does other work too."""
SHARE = 20
FAILS_ONE_IN = 2
"""Of the bad canary: half of its share of the requests."""
Answers = Counter[tuple[int, str]]
"""(status, version that answered) -> how many."""


def tenant_with(canary: dict[str, str], blue_green: dict[str, str]) -> str:
    """A description with these variables in the services' environments: each set is another version."""
    common = {"image": "hello-gpu", "health": {"path": "/healthz", "grace_s": 5, "interval_s": 2, "restart_limit": 2}}
    scaling = {"min": 1, "max": 1, "concurrency": 50}
    shares = {"strategy": "canary", "weights": [SHARE], "pause_s": PAUSE_S, "max_error_percent": 10}
    services = [
        {"name": "canary", **common, "env": canary, "scaling": scaling, "rollout": shares},
        {"name": "bluegreen", **common, "env": blue_green, "scaling": scaling, "rollout": {"strategy": "blue_green"}},
    ]
    return json.dumps({"tenant": "e2e", "quota": {"pods": 10, "gpus": 0}, "services": services})  # JSON is YAML


@pytest.fixture(scope="module")
def tenant(lab: None) -> Iterator[Path]:
    """Both services in their first version; gone at the end."""
    with described(tenant_with({"GREETING": "first"}, {"GREETING": "first"})) as path:
        yield path


async def _call_until(over: threading.Event, seen: dict[str, Answers]) -> None:
    async def one(host: str) -> None:
        try:
            answer = await call(GATEWAY, host=host, timeout_s=30)
        except CallError:
            seen[host][0, ""] += 1
            return
        is_good = answer.status == 200
        seen[host][answer.status, str(json.loads(answer.text)["message"]).split()[0] if is_good else ""] += 1

    async with asyncio.TaskGroup() as calls:
        while not over.is_set():
            for host in seen:
                calls.create_task(one(host))
            await asyncio.sleep(1 / CALLS_A_SECOND)


@contextmanager
def called() -> Generator[dict[str, Answers]]:
    """Both services are called at a steady rate while the body does something to them."""
    seen: dict[str, Answers] = {CANARY: Counter(), BLUE_GREEN: Counter()}
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_call_until(over, seen)), name="calls")
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def answered(host: str) -> str:
    """The version that answers now."""
    answer = asyncio.run(call(GATEWAY, host=host, timeout_s=60))
    assert answer.status == 200, answer.text
    return str(json.loads(answer.text)["message"]).split()[0]


def generations() -> str:
    """Of the tenant's routes and pods' owners: they grow with each change of a specification."""
    kinds, path = "httproutes,deployments.apps", "jsonpath={.items[*].metadata.generation}"
    return kubectl("-n", "tenant-e2e", "get", kinds, "-o", path)


def test_a_good_version_takes_over_by_its_strategy_while_every_request_is_answered(tenant: Path) -> None:
    tenant.write_text(tenant_with({"GREETING": "second"}, {"GREETING": "second"}))
    with called() as seen:
        told = run("region", "up", "lab", "--layer", "runtime").stderr
        time.sleep(2)
    for host, answers in seen.items():
        print(f"{host}: {dict(answers)}")
        assert set(answers) == {(200, "first"), (200, "second")}, f"requests of {host} were lost: {dict(answers)}"
    assert f"e2e/canary: share: {SHARE} % of the requests" in told, told
    assert "e2e/bluegreen: promote" in told, told
    assert answered(CANARY) == answered(BLUE_GREEN) == "second"


def test_a_second_run_changes_nothing(tenant: Path) -> None:
    before = generations()
    run("region", "up", "lab", "--layer", "runtime")
    assert generations() == before


def test_a_bad_version_is_taken_back_by_itself_and_costs_no_more_than_its_share(tenant: Path) -> None:
    failing = {"GREETING": "third", "FAILS_ONE_IN": str(FAILS_ONE_IN)}
    ending = {"GREETING": "third", "START_TAKES": "never"}  # not a time: the program ends at once
    tenant.write_text(tenant_with(failing, ending))
    with called() as seen:
        told = run("region", "up", "lab", "--layer", "runtime", expect=(3,)).stderr
    canary, blue_green = seen[CANARY], seen[BLUE_GREEN]
    print(f"{CANARY}: {dict(canary)}\n{BLUE_GREEN}: {dict(blue_green)}")
    assert "e2e/canary: take back" in told, told
    assert "of its answers were errors" in told, told
    assert "e2e/bluegreen: take back: it does not start" in told, told
    assert set(blue_green) == {(200, "second")}, "what does not start never gets a request"
    assert set(canary) == {(200, "second"), (200, "third"), (500, "")}, f"it was tried, and nothing else: {canary}"
    # All requests of the run count, so this holds by far; what it guards is a share that stays or grows.
    assert canary[500, ""] < sum(canary.values()) * SHARE / 100 / FAILS_ONE_IN
    assert answered(CANARY) == answered(BLUE_GREEN) == "second"


def test_a_version_that_was_taken_back_is_not_tried_again(tenant: Path) -> None:
    with called() as seen:
        told = run("region", "up", "lab", "--layer", "runtime", expect=(3,)).stderr
    assert "was taken back" in told, told
    for host, answers in seen.items():
        assert set(answers) == {(200, "second")}, f"{host}: {dict(answers)}"
