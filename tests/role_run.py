"""Runs one part of a role on this machine, with programs of the test's own before the machine's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.clients.ansible import PlaybookRequest, RunResult, run_playbook
from tests.role_render import ROLES

PLAYBOOK = """
- name: Try the role
  hosts: HOST
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  environment: {PATH: "BIN:/usr/bin:/bin"}
  tasks:
    - name: Try one part
      ansible.builtin.include_role: {name: ROLE, tasks_from: "PART"}
"""


def program(folder: Path, name: str, script: str) -> None:
    """One that the role finds first. It runs in the folder, and its arguments are kept for `asked`."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\ncd "{folder}" || exit\necho "$@" >> asked\n{script}\n')
    path.chmod(0o755)


def asked(folder: Path, word: str) -> list[str]:
    """Commands that had this in them, without the name of the program."""
    return [line for line in (folder / "asked").read_text().splitlines() if word in line]


def run_role(
    folder: Path,
    role: str,
    part: str,
    variables: Mapping[str, Any],
    *,
    host: str = "control",
    others: Mapping[str, Mapping[str, Any]] | None = None,
    check: bool = False,
) -> RunResult:
    """Run `tasks/<part>.yml` as the host; `others` are of the inventory too, with their variables."""
    (folder / "ansible.cfg").write_text(f"[defaults]\nroles_path = {ROLES}\n")
    text = PLAYBOOK
    for name, value in (("HOST", host), ("BIN", str(folder / "bin")), ("ROLE", role), ("PART", part)):
        text = text.replace(name, value)
    (folder / "try.yml").write_text(text)
    return run_playbook(
        PlaybookRequest(
            playbooks=folder,
            playbook="try.yml",
            inventory={"all": {"hosts": {host: {}, **(others or {})}}},
            variables=variables,
            private_key="none",
            known_hosts="",
            directory=folder,
            log=folder / "log",
            check=check,
            timeout_s=280,
        )
    )
