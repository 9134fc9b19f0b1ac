"""Roles on real hosts of a bench: check on clean hosts, converge, again, killed half-way, verify, reboot, drift.

The tests are the steps of one life, in this order.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from lab import processes
from tests.integration.bench import Bench, bench
from tests.integration.region import make_project
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(900)]

HOSTS = ("lab-r01-t01", "lab-r01-t02", "lab-r01-t03")
CONTROL, WORKER, _ = HOSTS
WIRING = ROOT / "tests" / "golden" / "lab" / "wiring.json"
PARTS = ("switch", "dns", "ntp", "realtime", "web", "registry", "artifacts")
RUNTIME = ("drivers.yml", "runtime.yml")
RUN_S = 400


@dataclass(frozen=True)
class Region:
    """Three hosts on a bench, and the operator's project beside them."""

    on: Bench
    project: Path

    def act(self, action: str, playbook: str = "") -> dict[str, Any]:
        """The last line of output is the answer; what is before it says how far it came."""
        output = self.on.run(*self._argv(action, playbook), timeout_s=RUN_S)
        return cast("dict[str, Any]", json.loads(output.splitlines()[-1]))

    def kill_in(self, playbook: str, task: str, after_s: float) -> None:
        """Run a playbook and kill it, with all its children, some time into a task."""
        process = self.on.start(*self._argv("play", playbook))
        assert process.stdout is not None
        for line in process.stdout:
            if task in line:
                break
        time.sleep(after_s)
        for child in _tree(process.pid):
            os.kill(child, signal.SIGKILL)
        process.communicate(timeout=60)

    def on_host(self, host: str, *command: str) -> str:
        return self.on.run(sys.executable, "-m", "lab.hosts", "exec", host, "--", *command)

    def _argv(self, action: str, playbook: str) -> Sequence[str | Path]:
        return (sys.executable, "-m", "tests.integration.region", self.project, action, playbook)


def _tree(pid: int) -> list[int]:
    children = processes.children(pid)
    return [*(grandchild for child in children for grandchild in _tree(child)), *children]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Generator[Region]:
    """Plain hosts, just deployed, behind configured switches."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copy(WIRING, home / "wiring.json")
    project = make_project(tmp_path_factory.mktemp("project") / "region", home)
    with bench(home) as made:
        made.lab("up", *(word for part in PARTS for word in ("--only", part)))
        here = Region(made, project)
        here.act("fabric")
        for command in ("seed", "on"):
            made.run(sys.executable, "-m", "lab.hosts", command, *HOSTS)
        yield here


def test_check_mode_works_on_clean_hosts_and_touches_nothing(region: Region) -> None:
    look = ("find", "/etc", "-path", "*gpuregion*", "-o", "-path", "/etc/frr*", "-o", "-path", "/etc/kubernetes*")
    before = region.on_host(WORKER, *look)
    found = region.act("check", "bootstrap.yml")
    assert found["status"] == "successful", found["failure"]
    assert found["changed"] > 0, "it says what would change"
    assert region.on_host(WORKER, *look) == before


def test_a_bootstrap_that_was_killed_is_completed_by_the_next(region: Region) -> None:
    # Between writing the configurations of the daemons and starting them with it.
    region.kill_in("bootstrap.yml", "Write the routing configuration", after_s=1)
    found = region.act("play", "bootstrap.yml")
    assert found["status"] == "successful", found["failure"]
    reports = {report["role"]: report for report in found["reports"][WORKER]}
    assert reports["frr"]["established"] == ["eth1", "eth2"]
    assert reports["frr"]["multipath_routes"] > 0
    assert reports["containerd"]["version"] == "2.4.2"


def test_a_second_bootstrap_changes_nothing(region: Region) -> None:
    assert region.act("play", "bootstrap.yml")["changed"] == 0


def test_a_cluster_whose_making_was_killed_is_completed_by_the_next(region: Region) -> None:
    region.kill_in("cluster.yml", "Run kubeadm init", after_s=4)
    found = region.act("play", "cluster.yml")
    assert found["status"] == "successful", found["failure"]
    assert found["reports"][CONTROL] == [{"role": "kubernetes_cluster", "nodes": len(HOSTS)}]


def test_a_second_run_on_a_cluster_changes_nothing(region: Region) -> None:
    assert region.act("play", "cluster.yml")["changed"] == 0


def test_the_operator_reaches_the_cluster_and_its_certificate_is_the_regions(region: Region) -> None:
    kubeconfig = region.project / ".region" / "lab" / "kubeconfig"
    assert kubeconfig.stat().st_mode & 0o077 == 0
    nodes = region.on.run("kubectl", "--kubeconfig", kubeconfig, "get", "nodes", "--no-headers").splitlines()
    assert len(nodes) == len(HOSTS)
    answer = region.on.run(
        *("curl", "-s", "--cacert", region.project / ".lab/pki/region-ca.crt", "https://172.30.0.65:6443/readyz")
    )
    assert answer == "ok"


def test_no_secret_of_the_cluster_is_left_on_a_node(region: Region) -> None:
    left = region.on_host(WORKER, "ls", "-A", "/etc/kubernetes", "/etc/kubernetes/pki")
    assert "join.yaml" not in left
    assert "discovery.conf" not in left
    assert "ca.key" not in left


def test_every_role_verifies_its_hosts(region: Region) -> None:
    found = region.act("play", "verify.yml")
    assert found["status"] == "successful", found["failure"]
    assert found["changed"] == 0, "a verification is read-only"
    roles = ["base", "apt_repository", "time_sync", "frr", "pod_network", "containerd", "kubernetes"]
    assert [report["role"] for report in found["reports"][WORKER]] == roles


def test_check_mode_works_where_there_is_no_runtime_yet(region: Region) -> None:
    for playbook in RUNTIME:
        found = region.act("check", playbook)
        assert found["status"] == "successful", found["failure"]
        assert found["changed"] > 0, f"{playbook} says what would change"


def test_the_runtime_is_installed_and_a_second_run_changes_nothing(region: Region) -> None:
    for playbook in RUNTIME:
        found = region.act("play", playbook)
        assert found["status"] == "successful", found["failure"]
    assert [region.act("play", playbook)["changed"] for playbook in RUNTIME] == [0, 0]


def test_every_role_of_the_runtime_verifies_it(region: Region) -> None:
    found = region.act("play", "verify_runtime.yml")
    assert found["status"] == "successful", found["failure"]
    assert found["changed"] == 0
    assert {report["role"] for report in found["reports"][CONTROL]} >= {"dra_driver", "keda", "keda_http_add_on"}


def test_hosts_come_back_from_a_power_cut_as_they_were(region: Region) -> None:
    for command in ("cut", "on"):
        region.on.run(sys.executable, "-m", "lab.hosts", command, WORKER)
    found = region.act("play", "verify.yml")
    assert found["status"] == "successful", found["failure"]
    assert region.act("check", "bootstrap.yml")["changed"] == 0


def test_a_change_by_hand_is_found_by_a_refresh_and_mended_by_a_run(region: Region) -> None:
    region.on_host(WORKER, "rm", "/etc/cni/net.d/10-gpuregion.conflist")
    found = region.act("refresh", "bootstrap.yml")
    assert found == {"hosts": {host: "drifted" if host == WORKER else "ok" for host in HOSTS}}
    assert region.act("play", "bootstrap.yml")["changed"] > 0
    assert region.act("refresh", "bootstrap.yml") == {"hosts": dict.fromkeys(HOSTS, "ok")}


def test_a_host_that_is_down_is_named_and_the_others_are_done(region: Region) -> None:
    region.on.run(sys.executable, "-m", "lab.hosts", "cut", WORKER)
    output = region.on.run(
        *(sys.executable, "-m", "tests.integration.region", region.project, "play", "bootstrap.yml"), timeout_s=RUN_S
    )
    assert json.loads(output.splitlines()[-1])["status"] == "failed"
    assert f"{WORKER}: base : validate" in output
    assert f"check that {WORKER} is powered" in output
    region.on.run(sys.executable, "-m", "lab.hosts", "on", WORKER)
