"""The role metrics, run on this machine against a kubectl of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import PlaybookFailedError, PlaybookRequest, RunResult, run_playbook
from components.plan import RegionPlan
from tests.regions import ROOT
from tests.role_render import evaluate

pytestmark = pytest.mark.timeout(300)
SOURCES = ["kubelet", "containers", "state", "claims", "interceptor", "kueue", "enforcer"]
PLAYBOOK = """
- name: Try the role
  hosts: all
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  environment: {PATH: "BIN:/usr/bin:/bin"}
  tasks:
    - name: Try the verification
      ansible.builtin.include_role: {name: metrics, tasks_from: verify}
"""
KUBECTL = """#!/bin/sh
echo "$@" >> {folder}/asked
case "$*" in *query=*) cat {folder}/heard ;; esac # and nothing differs
"""


def answer(jobs: list[str]) -> str:
    """What VictoriaMetrics says of the jobs that have an answer."""
    rows = ",".join(f'{{"metric":{{"job":"{job}"}},"value":[1,"3"]}}' for job in jobs)
    return f'{{"status":"success","data":{{"resultType":"vector","result":[{rows}]}}}}'


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, heard: list[str]) -> RunResult:
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(ROOT / "playbooks" / "roles"))
    (folder / "bin").mkdir()
    (folder / "heard").write_text(answer(heard))
    (folder / "bin" / "kubectl").write_text(KUBECTL.format(folder=folder))
    (folder / "bin" / "kubectl").chmod(0o755)
    (folder / "ansible.cfg").write_text("")
    (folder / "try.yml").write_text(PLAYBOOK.replace("BIN", str(folder / "bin")))
    return run_playbook(
        PlaybookRequest(
            playbooks=folder,
            playbook="try.yml",
            inventory={"all": {"hosts": {"control": {}}}},
            variables={
                "metrics_image": "registry/store@sha256:00",
                "metrics_state_image": "registry/state@sha256:00",
                "metrics_claims_image": "registry/claims@sha256:00",
                "metrics_node": "control",
                "metrics_rollout_timeout_s": 2,
            },
            private_key="none",
            known_hosts="",
            directory=folder,
            log=folder / "log",
            timeout_s=280,
        )
    )


def test_a_metering_that_hears_all_its_sources_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (*_, report) = run(tmp_path, monkeypatch, [*SOURCES, "proxy"]).reports["control"]
    assert (report["role"], report["sources"]) == ("metrics", SOURCES)
    waited = [line for line in (tmp_path / "asked").read_text().splitlines() if "rollout status" in line]
    assert [line.split()[4] for line in waited] == ["deployment/kube-state-metrics", "deployment/victoria-metrics"]


def test_a_source_that_is_not_heard_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlaybookFailedError, match="no figures of kubelet, kueue"):
        run(tmp_path, monkeypatch, [source for source in SOURCES if source not in ("kubelet", "kueue")])


@pytest.mark.parametrize(
    ("said", "silent"),
    [(answer(SOURCES), []), (answer(SOURCES[:5]), ["kueue", "enforcer"]), (answer([]), SOURCES), ("", SOURCES)],
)
def test_sources_are_missed_by_what_the_answer_says(lab_plan: RegionPlan, said: str, silent: list[str]) -> None:
    told: Any = {"__metrics_seen": {"stdout": said}}
    assert evaluate(lab_plan, "lab-r01-t01", "metrics", "__metrics_silent", **told) == silent
