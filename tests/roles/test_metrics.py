"""The role metrics, run on this machine against a kubectl of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import PlaybookFailedError, RunResult
from components.plan import RegionPlan
from tests.role_render import evaluate
from tests.role_run import asked, program, run_role

pytestmark = pytest.mark.timeout(300)
SOURCES = ["kubelet", "containers", "state", "claims", "interceptor", "kueue", "enforcer"]
KUBECTL = 'case "$*" in *query=*) cat heard ;; esac # and nothing differs'


def answer(jobs: list[str]) -> str:
    """What VictoriaMetrics says of the jobs that have an answer."""
    rows = ",".join(f'{{"metric":{{"job":"{job}"}},"value":[1,"3"]}}' for job in jobs)
    return f'{{"status":"success","data":{{"resultType":"vector","result":[{rows}]}}}}'


def run(folder: Path, heard: list[str]) -> RunResult:
    (folder / "heard").write_text(answer(heard))
    program(folder, "kubectl", KUBECTL)
    variables = {
        "metrics_image": "registry/store@sha256:00",
        "metrics_state_image": "registry/state@sha256:00",
        "metrics_claims_image": "registry/claims@sha256:00",
        "metrics_node": "control",
        "metrics_rollout_timeout_s": 2,
    }
    return run_role(folder, "metrics", "verify", variables)


def test_a_metering_that_hears_all_its_sources_is_accepted(tmp_path: Path) -> None:
    (*_, report) = run(tmp_path, [*SOURCES, "proxy"]).reports["control"]
    assert (report["role"], report["sources"]) == ("metrics", SOURCES)
    assert [line.split()[4] for line in asked(tmp_path, "rollout status")] == [
        "deployment/kube-state-metrics",
        "deployment/victoria-metrics",
    ]


def test_a_source_that_is_not_heard_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlaybookFailedError, match="no figures of kubelet, kueue"):
        run(tmp_path, [source for source in SOURCES if source not in ("kubelet", "kueue")])


@pytest.mark.parametrize(
    ("said", "silent"),
    [(answer(SOURCES), []), (answer(SOURCES[:5]), ["kueue", "enforcer"]), (answer([]), SOURCES), ("", SOURCES)],
)
def test_sources_are_missed_by_what_the_answer_says(lab_plan: RegionPlan, said: str, silent: list[str]) -> None:
    told: Any = {"__metrics_seen": {"stdout": said}}
    assert evaluate(lab_plan, "lab-r01-t01", "metrics", "__metrics_silent", **told) == silent
