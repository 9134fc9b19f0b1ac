"""Machines join a real API server at the pace that the engine finds: real etcd, controller manager and kubeadm."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.toolchain.build import ensure
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
SIZE = 40
KUBEADM = 3


@pytest.fixture(scope="module")
def figures() -> Mapping[str, Any]:
    words = [sys.executable, "-m", "benchmarks.joins", "--sizes", str(SIZE), "--arms", "paced"]
    words += ["--kubeadm", str(KUBEADM), "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_machines_join_and_are_ready(figures: Mapping[str, Any]) -> None:
    assert figures["failures"] == {}
    assert (figures["joined"], figures["real"], figures["left"]["not ready"]) == (SIZE, KUBEADM, 0)


def test_no_token_and_no_request_for_a_certificate_is_left(figures: Mapping[str, Any]) -> None:
    assert figures["left"]["tokens"] == 0
    assert figures["left"]["pending requests"] == 0


def test_they_did_not_all_come_at_once(figures: Mapping[str, Any]) -> None:
    assert 1 <= figures["most_at_once"] < SIZE


def test_nothing_of_the_control_plane_is_left_running(figures: Mapping[str, Any]) -> None:
    assert figures["size"] == SIZE
    folder = f"{figures['folder']}/".encode()
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if folder in _read(p)]
    assert not Path(figures["folder"]).exists()


def test_etcd_takes_one_new_member_at_a_time(tmp_path: Path) -> None:
    """Why members of the control plane join one after another (`JoinPace.turn(control_plane=True)`)."""
    client, peer = (f"http://127.0.0.1:{port}" for port in _free_ports(2))
    words = [
        ensure("etcd")["etcd"],
        "--name=first",
        f"--data-dir={tmp_path / 'etcd'}",
        f"--initial-cluster=first={peer}",
    ]
    words += [f"--{kind}-client-urls={client}" for kind in ("listen", "advertise")]
    words += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as etcd:
        try:
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{client}/health", trust_env=False).json()["health"] == "true":
                        break
                time.sleep(0.1)
            answers = [
                httpx.post(
                    f"{client}/v3/cluster/member/add",
                    json={"peerURLs": [f"http://127.0.0.1:{port}"], "isLearner": True},
                    trust_env=False,
                )
                for port in (1, 2)
            ]
        finally:
            etcd.terminate()
    assert answers[0].status_code == 200, answers[0].text
    assert "too many learner members" in answers[1].text


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_:
        sockets = [open_.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
