"""PlaybookRun: what makes a run necessary, how it is told, and that it is journalled."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import HostStats, PlaybookRequest, RunResult
from components.engine.journal import Journal
from components.errors import RegionError
from components.plan import RegionPlan
from components.plan.resources import playbook_inputs
from components.provider import playbook_run
from components.provider.handler import Context
from components.provider.playbook_run import PlaybookRunHandler, run_digest

CONTENT = {"bootstrap.yml": "a1", "roles/base": "b0", "roles/frr": "b1", "roles/containerd": "c1"}
HANDLER = PlaybookRunHandler()


@pytest.fixture
def inputs(lab_plan: RegionPlan) -> dict[str, Any]:
    return copy.deepcopy(playbook_inputs(lab_plan, "bootstrap.yml", CONTENT))


def texts(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [change.text for change in HANDLER.diff(old, new)]


def test_planned_inputs_are_accepted(inputs: dict[str, Any]) -> None:
    assert HANDLER.check(inputs) == []


def test_inputs_without_hosts_or_content_are_refused(inputs: dict[str, Any]) -> None:
    del inputs["content"]["bootstrap.yml"]
    inputs["inventory"] = {"all": {}}
    assert [problem.path for problem in HANDLER.check(inputs)] == ["content", "inventory"]
    assert [problem.path for problem in HANDLER.check({**inputs, "ssh": None})] == ["ssh"]


def test_nothing_is_run_again_when_nothing_differs(inputs: dict[str, Any]) -> None:
    assert HANDLER.diff(inputs, copy.deepcopy(inputs)) == []


def change_role(new: dict[str, Any]) -> None:
    new["content"]["roles/frr"] = "b2"


def change_variable(new: dict[str, Any]) -> None:
    new["inventory"]["all"]["vars"]["containerd_version"] = "2.4.3"


def add_host(new: dict[str, Any]) -> None:
    hosts = new["inventory"]["all"]["children"]["hosts"]["children"]["gpu_worker"]["hosts"]
    hosts["lab-r01-t04"] = dict(hosts["lab-r01-t03"])


def deploy_again(new: dict[str, Any]) -> None:
    new["after"] = {"deployments": {"lab-r01-t02": "another"}}


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (change_role, "roles/frr"),
        (change_variable, "containerd_version changes from 2.4.2 to 2.4.3"),
        (add_host, "host lab-r01-t04 is new"),
        (deploy_again, "done before: lab-r01-t02 deployed anew"),
    ],
)
def test_a_difference_says_what_makes_the_run_necessary(
    inputs: dict[str, Any], edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    new = copy.deepcopy(inputs)
    edit(new)
    (text,) = texts(inputs, new)
    assert text.startswith("run bootstrap.yml: ")
    assert said in text
    assert run_digest(new) != run_digest(inputs)


def test_a_time_limit_is_recorded_and_nothing_is_run_for_it(inputs: dict[str, Any]) -> None:
    new = {**inputs, "timeout_s": 60}
    assert texts(inputs, new) == ["timeout_s differs, nothing is run for it"]
    assert run_digest(new) == run_digest(inputs)


def test_what_an_older_version_waited_for_is_recorded_and_nothing_is_run_for_it(inputs: dict[str, Any]) -> None:
    old = {**inputs, "after": {"substrate": {"lab-r01": {"lab-r01-t02": {"node": "1"}}}}}
    new: dict[str, Any] = {**inputs, "after": {"deployments": {}}}
    assert texts(old, new) == ["after differs, nothing is run for it"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with every file that references name."""
    (tmp_path / ".lab/secrets").mkdir(parents=True)
    (tmp_path / ".lab/pki").mkdir()
    (tmp_path / ".region/lab").mkdir(parents=True)
    for name in (".lab/secrets/ssh_key", ".lab/pki/region-ca.key"):
        (tmp_path / name).write_text("private\n")
        (tmp_path / name).chmod(0o600)
    for name in (".lab/pki/region-ca.crt", ".lab/pki/apt.asc", ".region/lab/known_hosts"):
        (tmp_path / name).write_text("public\n")
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[PlaybookRequest]:
    """Requests that reached Ansible."""
    seen: list[PlaybookRequest] = []

    async def play(request: PlaybookRequest, **_: Any) -> RunResult:
        seen.append(request)
        stats = HostStats(ok=3, changed=1, failed=0, unreachable=0, skipped=0, ignored=0)
        as_it_was = replace(stats, changed=0)
        if request.timeout_s == 1:
            raise RegionError("the playbook failed")
        return RunResult(
            playbook=request.playbook,
            status="successful",
            seconds=1.0,
            hosts={"lab-r01-t01": stats, "lab-r01-t02": as_it_was},
            failed=(),
            reports={},
            log=request.log,
            last_words="",
        )

    monkeypatch.setattr(playbook_run, "play", play)
    return seen


async def test_a_run_is_journalled_and_hands_over_contents_not_references(
    inputs: dict[str, Any], project: Path, runs: list[PlaybookRequest]
) -> None:
    told: list[str] = []
    with Journal.open(project / "journal.db") as journal:
        context = Context(project=project, region="lab", journal=journal, report=told.append)
        created = await HANDLER.create("lab-bootstrap", inputs, context)
    (request,) = runs
    assert request.variables["base_ca_certificate"] == "public\n"
    assert request.private_key == "private\n"
    assert created.outputs == {"hosts": dict.fromkeys(("lab-r01-t01", "lab-r01-t02", "lab-r01-t03"), "ok")}
    (record,) = Journal.read_history(project / "journal.db")
    assert (record.target, record.kind, record.outcome) == ("lab-bootstrap", "run-playbook", "done")
    assert "1 change on 2 hosts" in told[-1]


async def test_hosts_of_every_process_of_a_run_get_their_turn_to_join_at_one_gate(
    lab_plan: RegionPlan, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[bytes] = []

    async def play(request: PlaybookRequest, **_: Any) -> RunResult:
        reader, writer = await asyncio.open_unix_connection(request.variables["kubernetes_join_gate"])
        writer.write(b"{}\n")
        turns.append(await reader.readline())
        writer.close()
        raise RegionError("that is all we want to know")

    monkeypatch.setattr(playbook_run, "play", play)
    inputs = playbook_inputs(lab_plan, "cluster.yml", {"cluster.yml": "a", "roles/kubernetes": "b"})
    with Journal.open(project / "journal.db") as journal:
        context = Context(project=project, region="lab", journal=journal)
        with pytest.raises(RegionError, match="all we want to know"):
            await HANDLER.create("lab-bootstrap", inputs, context)
    assert turns == [b"go\n"]


async def test_a_failed_run_is_journalled_as_failed(
    inputs: dict[str, Any], project: Path, runs: list[PlaybookRequest]
) -> None:
    with Journal.open(project / "journal.db") as journal:
        context = Context(project=project, region="lab", journal=journal)
        with pytest.raises(RegionError, match="the playbook failed"):
            await HANDLER.create("lab-bootstrap", {**inputs, "timeout_s": 1}, context)
    (record,) = Journal.read_history(project / "journal.db")
    assert record.outcome == "failed"
    assert len(runs) == 1


async def test_an_update_runs_only_what_is_necessary(
    inputs: dict[str, Any], project: Path, runs: list[PlaybookRequest]
) -> None:
    with Journal.open(project / "journal.db") as journal:
        context = Context(project=project, region="lab", journal=journal)
        await HANDLER.update("lab-bootstrap", inputs, {**inputs, "timeout_s": 60}, context)
        assert runs == []
        new = copy.deepcopy(inputs)
        change_role(new)
        await HANDLER.update("lab-bootstrap", inputs, new, context)
        assert len(runs) == 1


async def test_a_refresh_looks_without_touching_and_the_next_update_runs(
    inputs: dict[str, Any], project: Path, runs: list[PlaybookRequest]
) -> None:
    with Journal.open(project / "journal.db") as journal:
        context = Context(project=project, region="lab", journal=journal)
        outputs = await HANDLER.read("lab-bootstrap", inputs, context)
        assert outputs == {"hosts": {"lab-r01-t01": "drifted", "lab-r01-t02": "ok", "lab-r01-t03": "unreachable"}}
        assert runs.pop().check, "nothing is touched"
        said = [change.text for change in HANDLER.unfinished(inputs, outputs or {})]
        assert said == ["run bootstrap.yml: lab-r01-t01 is drifted", "run bootstrap.yml: lab-r01-t03 is unreachable"]
        await HANDLER.update("lab-bootstrap", inputs, inputs, context)
        assert not runs.pop().check
    assert HANDLER.unfinished(inputs, {"hosts": {"lab-r01-t01": "ok"}}) == []
