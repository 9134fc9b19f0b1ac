"""Playbook runs: what is told of them while they run, what is left behind, and what never shows."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from components.clients import redaction
from components.clients.ansible import PlaybookFailedError, PlaybookRequest, Progress, run_playbook
from components.clients.playbook_content import PlaybookContentError, content_digest
from components.clients.playbook_events import EventReader
from components.clients.playbook_folder import LOCK, PREFIX, private_folder

SECRET = "correct-horse-battery"
PLAYBOOK = """
- name: Probe
  hosts: all
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - name: Report
      ansible.builtin.debug:
        msg: "{{ {'role': 'probe', 'arguments': lookup('ansible.builtin.pipe', 'xargs -0 < /proc/$PPID/cmdline')} | to_json }}"
    - name: Say the secret
      ansible.builtin.debug: {msg: "the password is {{ told }}"}
    - name: Refuse
      ansible.builtin.assert: {that: not refuse, fail_msg: "refused {{ told }}, as asked"}
"""


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"event": kind, "stdout": data.pop("stdout", ""), "event_data": data}


def read(*events: dict[str, Any]) -> EventReader:
    reader = EventReader(io.StringIO(), lambda _: None)
    for one in events:
        reader.read(one)
    return reader


def test_a_failure_names_host_role_task_place_and_the_words_of_the_module() -> None:
    result = {"msg": "no such package", "stderr": "E: Unable to locate package frr"}
    reader = read(
        event(
            "runner_on_failed",
            host="h1",
            role="frr",
            task="install | Install FRR",
            task_path="/p/roles/frr/tasks/install.yml:2",
            res=result,
        )
    )
    (failed,) = reader.failed
    assert (failed.host, failed.role, failed.name) == ("h1", "frr", "install | Install FRR")
    assert (failed.file, failed.line) == ("/p/roles/frr/tasks/install.yml", 2)
    assert failed.message == "no such package\nE: Unable to locate package frr"


def test_a_failure_that_the_playbook_ignores_is_none() -> None:
    assert read(event("runner_on_failed", host="h1", task="t", ignore_errors=True, res={"msg": "x"})).failed == []


def test_of_a_loop_only_the_failed_items_speak() -> None:
    results = [{"msg": "fine"}, {"failed": True, "msg": "broken"}]
    reader = read(event("runner_on_failed", host="h1", task="t", res={"msg": "One or more", "results": results}))
    assert reader.failed[0].message == "broken"


def test_the_output_of_a_secret_task_stays_withheld() -> None:
    reader = read(event("runner_on_failed", host="h1", task="t", res={"censored": "hidden", "stdout": SECRET}))
    assert "may hold a secret" in reader.failed[0].message
    assert SECRET not in reader.failed[0].message


def test_an_unreachable_host_is_told_apart() -> None:
    reader = read(event("runner_on_unreachable", host="h1", task="t", res={"msg": "Connection timed out"}))
    assert reader.failed[0].unreachable


def test_reports_of_roles_are_collected_by_host() -> None:
    task = "verify | Report"
    reader = read(
        event("runner_on_ok", host="h1", task=task, res={"msg": '{"role": "frr", "established": ["eth1"]}'}),
        event("runner_on_ok", host="h1", task="read", res={"msg": '{"answer": "of a command"}'}),
        event("runner_on_ok", host="h2", task=task, res={"msg": "{no JSON"}),
        event("runner_on_ok", host="h2", task=task, res={"msg": ["no", "text"]}),
    )
    assert dict(reader.reports) == {"h1": [{"role": "frr", "established": ["eth1"]}]}


def test_progress_tells_the_task_under_way_and_how_many_there_were() -> None:
    told: list[Progress] = []
    reader = EventReader(io.StringIO(), told.append)
    reader.read(event("playbook_on_task_start", role="frr", task="install | Install FRR"))
    reader.read(event("playbook_on_task_start", role="frr", task="install | Install FRR"))  # on another host
    reader.read(event("playbook_on_task_start", task="Join"))
    install = "frr : install | Install FRR"
    assert [(p.tasks, p.playbook_task) for p in told] == [(1, install), (1, install), (2, "Join")]


def test_a_known_secret_never_reaches_the_log() -> None:
    redaction.register(SECRET)
    log = io.StringIO()
    EventReader(log, lambda _: None).read(event("verbose", stdout=f"\x1b[0;31mpassword {SECRET}\x1b[0m"))
    assert log.getvalue() == "password ***\n"


def test_the_private_folder_is_the_owners_alone_and_gone_afterwards(tmp_path: Path) -> None:
    with private_folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_folders_of_killed_runs_are_removed_and_those_of_running_ones_kept(tmp_path: Path) -> None:
    killed = tmp_path / f"{PREFIX}killed"
    killed.mkdir()
    (killed / LOCK).touch()
    with private_folder(tmp_path) as first, private_folder(tmp_path) as second:
        assert not killed.exists()
        assert first.exists()
        assert second.exists()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of playbooks: one imports another and uses roles in every way."""
    for role in ("plain", "included", "needed", "inner"):
        (tmp_path / "roles" / role / "tasks").mkdir(parents=True)
        (tmp_path / "roles" / role / "tasks" / "main.yml").write_text("[]\n")
    (tmp_path / "roles/plain/meta").mkdir()
    (tmp_path / "roles/plain/meta/main.yml").write_text("dependencies: [{role: needed}]\n")
    (tmp_path / "roles/included/tasks/main.yml").write_text(
        "- block:\n    - ansible.builtin.include_role: {name: inner}\n"
    )
    (tmp_path / "other.yml").write_text(
        "- hosts: all\n  tasks: [{ansible.builtin.import_role: {name: included, tasks_from: x}}]\n"
    )
    (tmp_path / "site.yml").write_text(
        "- ansible.builtin.import_playbook: other.yml\n- hosts: all\n  roles: [{role: plain}]\n"
    )
    return tmp_path


def test_the_content_of_a_playbook_is_all_that_it_uses(tree: Path) -> None:
    assert list(content_digest(tree, "site.yml")) == [
        *("other.yml", "roles/included", "roles/inner", "roles/needed", "roles/plain", "site.yml")
    ]


def test_only_content_counts(tree: Path) -> None:
    before = content_digest(tree, "site.yml")
    os.utime(tree / "site.yml", (1, 1))
    (tree / "roles/plain/README.md").write_text("generated")
    assert content_digest(tree, "site.yml") == before
    (tree / "roles/inner/tasks/main.yml").write_text("- ansible.builtin.debug:\n")
    after = content_digest(tree, "site.yml")
    assert {name for name in before if before[name] != after[name]} == {"roles/inner"}


def test_a_role_that_cannot_be_known_beforehand_is_refused(tree: Path) -> None:
    (tree / "other.yml").write_text("- hosts: all\n  roles: ['{{ chosen }}']\n")
    with pytest.raises(PlaybookContentError, match=r"uses a role that is not there"):
        content_digest(tree, "site.yml")


def request(folder: Path, *, refuse: bool) -> PlaybookRequest:
    (folder / "probe.yml").write_text(PLAYBOOK)
    (folder / "ansible.cfg").write_text("[defaults]\n")
    redaction.register(SECRET)
    return PlaybookRequest(
        playbooks=folder,
        playbook="probe.yml",
        inventory={"all": {"hosts": {"h1": {"refuse": refuse}}}},
        variables={"told": SECRET},
        private_key="key",
        known_hosts="",
        directory=folder,
        log=folder / "logs" / "probe.log",
        timeout_s=60,
    )


def test_a_run_keeps_secrets_out_of_arguments_and_log(tmp_path: Path) -> None:
    result = run_playbook(request(tmp_path, refuse=False))
    assert result.status == "successful"
    assert result.hosts["h1"].ok == 3
    (report,) = result.reports["h1"]
    assert "ansible-playbook" in report["arguments"]
    assert SECRET not in report["arguments"]
    log = (tmp_path / "logs/probe.log").read_text()
    assert "the password is ***" in log
    assert SECRET not in log
    assert stat.S_IMODE((tmp_path / "logs/probe.log").stat().st_mode) == 0o600


def test_a_run_that_fails_says_where_why_and_what_is_next(tmp_path: Path) -> None:
    with pytest.raises(PlaybookFailedError) as caught:
        run_playbook(request(tmp_path, refuse=True))
    text = str(caught.value)
    assert "h1: Refuse: refused ***, as asked" in text
    assert "mend the cause and run again" in text
    assert "probe.log" in text
    assert SECRET not in text
    assert caught.value.result.hosts["h1"].failed == 1


def test_a_run_that_never_began_gives_its_last_words(tmp_path: Path) -> None:
    broken = request(tmp_path, refuse=False)
    (tmp_path / "probe.yml").write_text("- hosts: [unclosed\n")
    with pytest.raises(PlaybookFailedError, match="YAML parsing failed"):
        run_playbook(broken)
