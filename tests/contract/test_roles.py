"""Rules about roles and playbooks: conventions that Ansible and its linter do not hold."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from components.clients.playbook_content import content_digest

ROOT = Path(__file__).parents[2]
PLAYBOOKS = ROOT / "playbooks"
ROLES = sorted(path.parent.parent for path in PLAYBOOKS.glob("roles/*/meta/main.yml"))
Task = dict[str, Any]
MAIN_LINES = 40
TASK_LINES = 80

each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def load(path: Path) -> Any:
    return cast("Any", YAML(typ="safe")).load(path.read_text()) if path.is_file() else None


def options_of(role: Path) -> dict[str, Task]:
    entries = cast("dict[str, Task]", load(role / "meta" / "argument_specs.yml")["argument_specs"])
    options = [cast("dict[str, Task]", entry.get("options") or {}) for entry in entries.values()]
    return {name: option for of_entry in options for name, option in of_entry.items()}


def tasks_of(role: Path) -> list[tuple[Path, Task]]:
    """Every task of a role, blocks opened, with the file that holds it."""

    def opened(tasks: list[Task]) -> list[Task]:
        inner = [t for task in tasks for part in ("block", "rescue", "always") for t in opened(task.get(part) or [])]
        return [*tasks, *inner]

    files = sorted([*role.glob("tasks/*.yml"), *role.glob("handlers/*.yml")])
    return [(path, task) for path in files for task in opened(load(path) or [])]


@each_role
def test_defaults_are_those_of_the_argument_specs(role: Path) -> None:
    declared = {name: option["default"] for name, option in options_of(role).items() if "default" in option}
    assert (load(role / "defaults" / "main.yml") or {}) == declared, "same keys, same values"


@each_role
def test_an_option_is_required_or_has_a_default_and_says_what_it_means(role: Path) -> None:
    for name, option in options_of(role).items():
        assert bool(option.get("required")) != ("default" in option), f"{name}: required, or with a default"
        assert option.get("description"), f"{name}: has a description"
        assert option.get("type"), f"{name}: has a type"


@each_role
def test_public_names_begin_with_the_role_and_private_ones_with_two_underscores(role: Path) -> None:
    assert not [name for name in options_of(role) if not name.startswith(f"{role.name}_")]
    private = cast("dict[str, Any]", load(role / "vars" / "main.yml") or {})
    assert not [name for name in private if not name.startswith(f"__{role.name}_")]
    for path, task in tasks_of(role):
        named: list[str] = [*task.get("ansible.builtin.set_fact", ()), *task.get("vars", ()), task.get("register", "")]
        for name in named:
            known = not name or name.startswith((f"__{role.name}_", "ansible_", "kubernetes_apply_"))
            known = known or name == f"{role.name}_reboot_required"  # exported: only ops/reboot.yml reboots
            assert known, f"{path.name}: {name}"


@each_role
def test_a_role_verifies_what_it_did_and_reports_it(role: Path) -> None:
    assert (role / "tasks" / "verify.yml").is_file(), "runnable alone"
    main: list[Task] = load(role / "tasks" / "main.yml") or []
    names = [task.get("ansible.builtin.import_tasks") or task.get("ansible.builtin.include_tasks") for task in main]
    assert names, "main.yml includes, it does nothing itself"
    assert all(names), "main.yml includes, it does nothing itself"


@each_role
def test_files_stay_small(role: Path) -> None:
    for path in role.glob("tasks/*.yml"):
        limit = MAIN_LINES if path.name == "main.yml" else TASK_LINES
        assert len(path.read_text().splitlines()) <= limit, f"{path.relative_to(ROOT)}: at most {limit} lines"


@each_role
def test_tasks_of_sub_files_are_named_after_their_file(role: Path) -> None:
    for path, task in tasks_of(role):
        tasks: list[Task] = load(path)
        only_includes = all({"ansible.builtin.import_tasks", "ansible.builtin.include_tasks"} & t.keys() for t in tasks)
        if path.parent.name == "tasks" and not only_includes:
            assert re.match(rf"{path.stem} \| [A-Z]", task["name"]), f"{path.name}: {task['name']}"


@each_role
def test_a_command_tells_truthfully_whether_it_changed_something(role: Path) -> None:
    for path, task in tasks_of(role):
        for module in ("ansible.builtin.command", "ansible.builtin.shell"):
            if module in task:
                truthful = "changed_when" in task or "creates" in task[module]
                assert truthful, f"{path.name}: {task['name']}"
                assert task.get("changed_when") is not True, f"{path.name}: {task['name']} lies"


@each_role
def test_daemons_are_restarted_by_handlers_alone(role: Path) -> None:
    for path, task in tasks_of(role):
        service: Task = task.get("ansible.builtin.systemd_service") or {}
        state = str(service.get("state", ""))
        assert path.parent.name == "handlers" or state not in ("restarted", "reloaded"), f"{path.name}: {task['name']}"


@each_role
def test_what_handles_a_secret_is_not_logged(role: Path) -> None:
    secret = re.compile(r"_token\b|_key \}\}|_admin\.content|ca_key|private_key")
    for path, task in tasks_of(role):
        told = {key: value for key, value in task.items() if key not in ("name", "block", "always", "rescue", "when")}
        holds = role.name != "apt_repository" and secret.search(str(told))
        assert not holds or task.get("no_log") is True, f"{path.name}: {task['name']}"


@pytest.mark.parametrize("playbook", sorted(p.name for p in PLAYBOOKS.glob("*.yml")))
def test_every_playbook_has_a_content_digest_and_names_its_plays(playbook: str) -> None:
    assert playbook in content_digest(PLAYBOOKS, playbook)
    for play in load(PLAYBOOKS / playbook):
        assert play.get("name"), "a play has a name"
        assert "ansible.builtin.import_playbook" in play or play["gather_facts"] is False, "facts are asked for by name"


def test_the_site_is_a_flat_list_of_every_playbook() -> None:
    imported: list[str] = [play["ansible.builtin.import_playbook"] for play in load(PLAYBOOKS / "site.yml")]
    assert sorted(imported) == sorted(p.name for p in PLAYBOOKS.glob("*.yml") if p.name != "site.yml")
    assert imported[0] == "validate.yml", "cheap and first"
    assert imported[-1].startswith("verify")


def test_the_verification_covers_every_role_that_a_playbook_uses() -> None:
    used = {name for playbook in PLAYBOOKS.glob("*.yml") for name in content_digest(PLAYBOOKS, playbook.name)}
    verified = {name for playbook in PLAYBOOKS.glob("verify*.yml") for name in content_digest(PLAYBOOKS, playbook.name)}
    helpers = {"roles/kubernetes_apply"}  # only other roles call it
    assert {name for name in used if name.startswith("roles/")} - verified - helpers == set()


def test_pages_of_roles_are_generated_and_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/role_pages.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
