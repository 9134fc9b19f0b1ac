"""A lab that serves, its services put to sleep, and tenants that a test describes beside its own."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.process import ENVIRONMENT, ROOT, run

GATEWAY = "10.255.2.1"
HELLO = "hello-gpu.demo.lab.internal"
"""The lab's own service: one GPU, asleep at zero, two replicas at most."""
TENANT_FILE = ROOT / "stacks" / "regions" / "lab" / "tenants" / "e2e.yaml"
LAYERS = ("--layer", "cluster", "--layer", "runtime")


def kubectl(*words: str, timeout_s: float = 120) -> str:
    """The answer of the lab's cluster."""
    done = subprocess.run(
        ["kubectl", *words], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
    return done.stdout


def replicas(namespace: str, name: str) -> int:
    """Replicas that a Deployment has."""
    return int(
        json.loads(kubectl("-n", namespace, "get", "deployment", name, "-o", "json"))["status"].get("replicas", 0)
    )


def put_to_sleep(namespace: str, *names: str) -> None:
    """No pod, as after the idle time, but at once."""
    for name in names:
        kubectl("-n", namespace, "scale", "deployment", name, "--replicas=0")
    for name in names:
        kubectl("-n", namespace, "wait", "pod", "-l", f"app.kubernetes.io/name={name}", "--for=delete", "--timeout=60s")
    time.sleep(1)  # endpoints have caught up


def answers() -> bool:
    """Whether a lab is up and serves."""
    try:
        answer = httpx.get(f"http://{GATEWAY}/", headers={"Host": HELLO}, timeout=30, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def write_wiring() -> None:
    """What the lab is started from, as `make lab` writes it."""
    (ROOT / ".lab").mkdir(exist_ok=True)
    (ROOT / ".lab" / "wiring.json").write_text(run("region", "export", "lab", "wiring").stdout)


def start_lab() -> None:
    """The lab's datacenter, with nothing deployed in it."""
    write_wiring()
    run("python", "-m", "lab", "up")


@contextmanager
def region_up(*, is_there: bool) -> Generator[None]:
    """A lab with its region up: the one that is there, or one that goes at the end."""
    if is_there:
        yield
        return
    start_lab()
    run("region", "up", "lab")
    yield
    run("region", "down", "lab", "--yes")
    run("python", "-m", "lab", "down")


@pytest.fixture(scope="session")
def lab() -> Iterator[None]:
    """A lab that serves."""
    with region_up(is_there=answers()):
        yield


@contextmanager
def described(tenant: str) -> Generator[Path]:
    """The tenant of this description, named `e2e`, in the region; gone at the end."""
    TENANT_FILE.write_text(tenant)
    try:
        run("region", "up", "lab", *LAYERS)
        yield TENANT_FILE
    finally:
        TENANT_FILE.unlink()
        run("region", "up", "lab", *LAYERS)
