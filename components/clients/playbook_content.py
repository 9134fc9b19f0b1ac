"""What a playbook is made of, by content.

Owns the search for everything that a playbook uses (other playbooks, roles, roles that those use) and one
digest for each, so that a run is repeated when a role changes and not when a file's time does. Generated
documents and tests of a role are no part of what it does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML, YAMLError

from components.errors import Problem, RegionError

DIGEST_LENGTH = 16
_NOT_CONTENT = frozenset({"README.md", "molecule", "tests", "__pycache__"})
_ROLE_ACTIONS = frozenset(
    f"{prefix}{action}" for prefix in ("", "ansible.builtin.") for action in ("import_role", "include_role")
)
_PLAYBOOK_ACTIONS = frozenset({"import_playbook", "ansible.builtin.import_playbook"})


class PlaybookContentError(RegionError):
    """A playbook names something that is not there, or that cannot be known before it runs."""

    exit_code = 2


def content_digest(playbooks: Path, playbook: str) -> dict[str, str]:
    """Digest of the playbook and of all it uses: `{"bootstrap.yml": ..., "roles/base": ..., "group_vars": ...}`."""
    found: dict[str, Path] = {}
    _add_playbook(playbooks, playbook, found)
    if (playbooks / "group_vars").is_dir():
        found["group_vars"] = playbooks / "group_vars"
    return {name: _digest(path) for name, path in sorted(found.items())}


def _add_playbook(playbooks: Path, playbook: str, found: dict[str, Path]) -> None:
    if playbook in found:
        return
    path = playbooks / playbook
    if not path.is_file():
        raise _refusal(path, "there is no such playbook", remedy="name a file of the playbooks folder")
    found[playbook] = path
    for play in _mappings(_load(path)):
        for action in _PLAYBOOK_ACTIONS & play.keys():
            _add_playbook(playbooks, str(play[action]), found)
        for role in cast("list[Any]", play.get("roles") or []):
            entry = cast("dict[str, Any]", role) if isinstance(role, dict) else {"role": role}
            _add_role(playbooks, str(entry.get("role") or entry.get("name")), path, found)
        for role in _roles_of_tasks(play):
            _add_role(playbooks, role, path, found)


def _add_role(playbooks: Path, role: str, used_by: Path, found: dict[str, Path]) -> None:
    name = f"roles/{role}"
    if name in found:
        return
    path = playbooks / name
    if not path.is_dir():
        # A templated name would hide a role from the digest: its changes would never be run.
        raise _refusal(used_by, "uses a role that is not there", found=role, remedy="name a folder of playbooks/roles")
    found[name] = path
    meta = path / "meta" / "main.yml"
    if meta.is_file():
        for dependency in cast("list[Any]", cast("dict[str, Any]", _load(meta)).get("dependencies") or []):
            entry = cast("dict[str, Any]", dependency) if isinstance(dependency, dict) else {"role": dependency}
            _add_role(playbooks, str(entry.get("role")), meta, found)
    for tasks in sorted([*path.glob("tasks/**/*.yml"), *path.glob("handlers/**/*.yml")]):
        for task in _mappings(_load(tasks)):
            for used in _roles_of_tasks(task):
                _add_role(playbooks, used, tasks, found)


def _roles_of_tasks(node: Any) -> Iterator[str]:
    """Names of roles that tasks anywhere below `node` include."""
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _roles_of_tasks(item)
    elif isinstance(node, dict):
        for key, value in cast("dict[str, Any]", node).items():
            if key in _ROLE_ACTIONS:
                yield str(cast("dict[str, Any]", value)["name"])
            else:
                yield from _roles_of_tasks(value)


def _mappings(document: Any) -> list[dict[str, Any]]:
    return [cast("dict[str, Any]", item) for item in cast("list[Any]", document or []) if isinstance(item, dict)]


def _load(path: Path) -> Any:
    try:
        return cast("Any", YAML(typ="safe")).load(path.read_text())
    except YAMLError as error:
        raise _refusal(path, "is not YAML", found=str(error)) from None


def _digest(path: Path) -> str:
    """Content and names, and what may be executed; times and owners do not count."""
    total = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(_files(path)):
        name = "" if file == path else file.relative_to(path).as_posix()
        body = file.read_bytes()
        executable = bool(file.stat().st_mode & 0o100)
        total.update(f"{name}\0{executable}\0{len(body)}\0".encode())
        total.update(body)
    return total.hexdigest()[:DIGEST_LENGTH]


def _files(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in _NOT_CONTENT:
            continue
        if entry.is_dir():
            yield from _files(entry)
        else:
            yield entry


def _refusal(path: Path, message: str, *, found: str | None = None, remedy: str | None = None) -> PlaybookContentError:
    return PlaybookContentError(
        "a playbook cannot be read",
        [Problem(path=str(path), message=message, found=found, remedy=remedy)],
    )
