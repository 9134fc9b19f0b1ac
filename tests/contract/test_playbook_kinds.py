"""Plays say whether they may be divided over processes, and what they say is true.

A play that is tagged `per_host` is run for some hosts here and some there. What would then see a part of the hosts
and take it for all, or wait for hosts of another process, is refused in it: in its keywords, in each task that it
reaches, and in variables and templates that those use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from components.clients.playbook_plays import play_kinds
from components.plan.playbook_shards import PlayKind

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
NAMES = sorted(path.name for path in PLAYBOOKS.glob("*.yml") if path.name != "site.yml")
KEYWORDS = frozenset({"any_errors_fatal", "max_fail_percentage", "serial", "run_once", "throttle", "delegate_to"})
KEYWORDS_AND_ACTIONS = (
    KEYWORDS
    | {"order", "delegate_facts", "local_action"}
    | {f"{prefix}{action}" for prefix in ("", "ansible.builtin.") for action in ("add_host", "group_by")}
)
OTHERS = re.compile(r"\b(groups|hostvars|play_hosts|ansible_play_\w+|ansible_limit|inventory_file)\b")
"""Words by which a task looks at hosts beside its own."""


def load(path: Path) -> Any:
    return cast("Any", YAML(typ="safe")).load(path.read_text()) if path.is_file() else None


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping at or below a node."""
    if isinstance(node, dict):
        mapping = cast("dict[str, Any]", node)
        yield mapping
        for value in mapping.values():
            yield from walk(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from walk(item)


def action(task: dict[str, Any], name: str) -> Any:
    return task.get(f"ansible.builtin.{name}") or task.get(name)


def variables(playbooks: Path, role: str) -> dict[str, str]:
    """Of a role, with what they are made of."""
    found: dict[str, str] = {}
    for kind in ("defaults", "vars"):
        of_kind = cast("dict[str, Any]", load(playbooks / "roles" / role / kind / "main.yml") or {})
        found |= {name: str(value) for name, value in of_kind.items()}
    return found


def faults(playbooks: Path, where: str, node: Any, role: str = "") -> Iterator[str]:
    """What in a play, or in tasks that it reaches, needs hosts beside its own."""
    for mapping in walk(node):
        yield from (f"{where}: {word}" for word in sorted(KEYWORDS_AND_ACTIONS & mapping.keys()))
        for name in ("import_tasks", "include_tasks"):
            if used := action(mapping, name):
                file = used if isinstance(used, str) else used["file"]
                yield from tasks(playbooks, role, file)
        for name in ("import_role", "include_role"):
            if used := action(mapping, name):
                yield from tasks(playbooks, used["name"], f"{used.get('tasks_from', 'main').removesuffix('.yml')}.yml")
        for entry in cast("list[Any]", mapping.get("roles") or []):
            yield from tasks(playbooks, entry if isinstance(entry, str) else entry["role"], "main.yml")
        if template := action(mapping, "template"):
            file = playbooks / "roles" / role / "templates" / template["src"]
            sources = [file] if file.is_file() else sorted(file.parent.glob("*.j2"))  # a loop names them
            for source in sources:
                yield from words(f"{role}/templates/{source.name}", source.read_text(), variables(playbooks, role))
    yield from words(where, str(node), variables(playbooks, role) if role else {})


def tasks(playbooks: Path, role: str, file: str) -> Iterator[str]:
    node = load(playbooks / "roles" / role / "tasks" / file)
    if file == "main.yml":
        node = [node, load(playbooks / "roles" / role / "handlers" / "main.yml")]
    yield from faults(playbooks, f"{role}/{file}", node, role)


def words(where: str, text: str, of_role: dict[str, str]) -> Iterator[str]:
    """Looks at others, in the text itself or in a variable that it uses."""
    seen: set[str] = set()
    todo = [(where, text)]
    while todo:
        place, words = todo.pop()
        yield from (f"{place}: {found}" for found in sorted(set(OTHERS.findall(words))))
        used = {name for name in of_role if name not in seen and re.search(rf"\b{re.escape(name)}\b", words)}
        seen |= used
        todo += [(f"{where}: {name}", of_role[name]) for name in sorted(used)]


@pytest.mark.parametrize("name", NAMES)
def test_every_play_says_how_it_treats_its_hosts(name: str) -> None:
    kinds = {str(kind) for kind in PlayKind}
    for play in load(PLAYBOOKS / name):
        assert len(kinds & set(play["tags"])) == 1, f"{play['name']}: tagged with one of {sorted(kinds)}"


@pytest.mark.parametrize("name", NAMES)
def test_plays_host_by_host_come_before_those_of_all_hosts(name: str) -> None:
    kinds = list(play_kinds(PLAYBOOKS / name))
    assert kinds == sorted(kinds), "a run is host by host first, then once for all"


@pytest.mark.parametrize("name", NAMES)
def test_a_play_host_by_host_needs_no_host_beside_its_own(name: str) -> None:
    plays = [play for play in load(PLAYBOOKS / name) if PlayKind.PER_HOST in play["tags"]]
    assert not [fault for play in plays for fault in faults(PLAYBOOKS, play["name"], play)]


def test_what_most_hosts_do_is_divided() -> None:
    divided = {name for name in NAMES if PlayKind.PER_HOST in play_kinds(PLAYBOOKS / name)}
    assert divided == {"bootstrap.yml", "drivers.yml", "verify.yml", "verify_runtime.yml"}


@pytest.mark.parametrize(
    ("play", "fault"),
    [
        ({"serial": 1}, "serial"),
        ({"tasks": [{"block": [{"delegate_to": "h1"}]}]}, "delegate_to"),
        ({"tasks": [{"ansible.builtin.group_by": {"key": "x"}}]}, "group_by"),
        ({"tasks": [{"debug": {"msg": "{{ groups.hosts | length }}"}}]}, "groups"),
        ({"roles": ["chatty"]}, "main.yml: run_once"),
        ({"tasks": [{"import_role": {"name": "chatty", "tasks_from": "indirect"}}]}, "__first: groups"),
        ({"tasks": [{"include_role": {"name": "chatty", "tasks_from": "write"}}]}, "hosts.j2: hostvars"),
        ({"roles": [{"role": "chatty"}]}, "main.yml: hostvars"),
    ],
)
def test_this_test_finds_what_it_looks_for(tmp_path: Path, play: dict[str, Any], fault: str) -> None:
    role = tmp_path / "roles" / "chatty"
    files = {
        "tasks/main.yml": '[{"debug": {}, "run_once": true}]',
        "tasks/indirect.yml": '[{"debug": {"msg": "{{ __second }}"}}]',
        "tasks/write.yml": '[{"template": {"src": "hosts.j2"}}]',
        "vars/main.yml": '{"__second": "{{ __first }}", "__first": "{{ groups.all }}", "__unused": "{{ hostvars }}"}',
        "templates/hosts.j2": "{{ hostvars }}",
        "handlers/main.yml": '[{"name": "Tell", "debug": {"msg": "{{ hostvars }}"}}]',
    }
    for name, text in files.items():
        (role / name).parent.mkdir(parents=True, exist_ok=True)
        (role / name).write_text(text)
    found = list(faults(tmp_path, "play", play))
    assert [one for one in found if fault in one], found
    assert not [one for one in found if "__unused" in one]
