"""The pipelines run commands that exist, with the least rights, and never on the code of strangers."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer.main
from ruamel.yaml import YAML

from stacks.cli.changed import GITLAB_TEMPLATE, child_pipeline
from stacks.cli.main import app

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob(".forgejo/workflows/*.yml")])
GITLAB = [ROOT / ".gitlab-ci.yml", ROOT / GITLAB_TEMPLATE.removeprefix("/")]
Job = dict[str, Any]
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: str(p.relative_to(ROOT)))
each_pipeline = pytest.mark.parametrize("path", [*WORKFLOWS, *GITLAB], ids=lambda p: str(p.relative_to(ROOT)))


def load(path: Path) -> dict[str, Any]:
    """All documents of a file as one mapping."""
    loader = cast("Any", YAML(typ="safe"))
    return {key: value for document in loader.load_all(path.read_text()) for key, value in document.items()}


def jobs(path: Path) -> dict[str, Job]:
    document = load(path)
    if path in GITLAB:
        return {name: job for name, job in document.items() if isinstance(job, dict) and "script" in job}
    return document["jobs"]


def lines(path: Path) -> Iterator[str]:
    """Every shell line that a pipeline runs, continued ones joined."""
    for job in jobs(path).values():
        scripts = [
            *job.get("script", []),
            *job.get("after_script", []),
            *(s.get("run", "") for s in job.get("steps", [])),
        ]
        for script in scripts:
            yield from re.sub(r"\\\n\s*", "", script).splitlines()


def commands(path: Path, program: str) -> Iterator[list[str]]:
    """Arguments of each call of a program, up to the next operator of the shell."""
    for line in lines(path):
        for match in re.finditer(rf"(?:^|[\s|;&(]){re.escape(program)} ([^|;&<>)]+)", line):
            yield shlex.split(match[1])


@each_pipeline
def test_each_region_command_of_a_pipeline_exists_with_its_options(path: Path) -> None:
    known: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    for name, *arguments in commands(path, ".venv/bin/region"):
        assert name in known, f"region {name}"
        options = {option for p in known[name].params for option in p.opts}
        unknown = [a for a in arguments if a.startswith("--") and a not in options]
        assert not unknown, f"region {name} has no {unknown}"


@each_pipeline
def test_each_make_target_of_a_pipeline_exists(path: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    assert {arguments[0] for arguments in commands(path, "make")} <= targets


def test_the_pipelines_of_every_forge_preview_and_comment() -> None:
    for path in (ROOT / ".github/workflows/preview.yml", ROOT / ".forgejo/workflows/preview.yml"):
        assert {"changed", "preview", "comment"} <= {c[0] for c in commands(path, ".venv/bin/region")}
    found = {c[0] for path in GITLAB for c in commands(path, ".venv/bin/region")}
    assert found == {"changed", "preview", "comment", "up", "verify"}


@each_workflow
def test_actions_are_pinned_to_a_commit_with_the_version_beside_it(path: Path) -> None:
    for line in path.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@each_workflow
def test_a_pull_request_of_a_fork_runs_nothing_of_ours(path: Path) -> None:
    document = load(path)
    assert "pull_request_target" not in document["on"], "it would give strangers' code our secrets"
    if "pull_request" not in document["on"]:
        return
    guarded: set[str] = set()
    for name, job in jobs(path).items():
        needs = job.get("needs", [])
        assert SAME_REPOSITORY in job.get("if", "") or guarded & set([needs] if isinstance(needs, str) else needs), name
        guarded.add(name)


def test_a_merge_request_of_a_fork_runs_nothing_of_ours() -> None:
    for rule in load(GITLAB[0])["workflow"]["rules"]:
        if "merge_request_event" in rule["if"]:
            assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID" in rule["if"]


@each_workflow
def test_what_a_pull_request_says_is_never_part_of_a_script(path: Path) -> None:
    assert not [line for line in lines(path) if "${{" in line], "an expression is put in as text: use `env`"


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/workflows/*.yml")), ids=lambda p: p.name)
def test_a_workflow_reads_unless_a_job_needs_more(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}
    for name, job in jobs(path).items():
        writes = [scope for scope, access in job.get("permissions", {}).items() if access == "write"]
        assert writes in ([], ["pull-requests"]), name
        if writes:
            assert "secrets." not in json.dumps(job), f"{name}: a job that may write holds no secret of a region"


def test_a_region_is_applied_by_one_job_at_a_time_after_an_approval() -> None:
    job = jobs(ROOT / ".github/workflows/apply.yml")["apply"]
    assert job["environment"] == job["concurrency"]["group"] == "region-${{ matrix.region }}"
    assert job["concurrency"]["cancel-in-progress"] is False
    apply = jobs(GITLAB[1])["apply $[[ inputs.region ]]"]
    assert apply["resource_group"] == apply["environment"]["name"] == "region-$[[ inputs.region ]]"
    assert [rule["when"] for rule in apply["rules"]] == ["manual"]


def test_nothing_is_brought_up_without_the_plan_that_was_shown() -> None:
    calls = [c for path in [*WORKFLOWS, *GITLAB] for c in commands(path, ".venv/bin/region") if c[0] == "up"]
    assert calls
    assert all(call[2:] == ["--plan", "plan.json"] for call in calls)


def test_the_forge_that_cannot_ask_for_approval_applies_nothing() -> None:
    assert not [c for p in ROOT.glob(".forgejo/workflows/*") for c in commands(p, ".venv/bin/region") if c[0] == "up"]
    assert list(ROOT.glob(".forgejo/workflows/*")), "without this folder Forgejo would run those of GitHub"


def test_the_jobs_of_a_region_on_gitlab_take_what_the_command_gives() -> None:
    (included,) = child_pipeline(["lab"])["include"]
    assert (ROOT / included["local"].removeprefix("/")).is_file()
    assert set(included["inputs"]) == set(load(GITLAB[1])["spec"]["inputs"])
