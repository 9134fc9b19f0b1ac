"""The role dra_driver, run on this machine against a kubectl of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import PlaybookRequest, RunResult, run_playbook
from components.plan import RegionPlan
from tests.regions import ROOT
from tests.role_render import evaluate

pytestmark = pytest.mark.timeout(300)
NODES = ["ess-r001-t01", "ess-r001-t02", "ess-r001-t03"]
POOLS = {"small": {"count": 4}, "large": {"count": 8}}
HOSTS = {node: {"dra_driver_pool": pool} for node, pool in zip(NODES, ("small", "small", "large"), strict=True)}
PLAYBOOK = """
- name: Try the role
  hosts: control
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  environment: {PATH: "BIN:/usr/bin:/bin"}
  tasks:
    - name: Try one part
      ansible.builtin.include_role: {name: dra_driver, tasks_from: "{{ part }}"}
"""
KUBECTL = """#!/bin/sh
echo "$@" >> {folder}/asked
case "$*" in
    *resourceslices*) cat {folder}/slices ;;
    *label*) cat {folder}/labelled ;;
    *"get namespace"*) echo namespace/dra-driver ;; # and nothing differs
esac
"""


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, part: str, *, slices: str = "", labelled: str = "") -> RunResult:
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(ROOT / "playbooks" / "roles"))
    (folder / "bin").mkdir()
    for name, text in (("slices", slices), ("labelled", labelled), ("bin/kubectl", KUBECTL.format(folder=folder))):
        (folder / name).write_text(text)
    (folder / "bin" / "kubectl").chmod(0o755)
    (folder / "ansible.cfg").write_text("")
    (folder / "try.yml").write_text(PLAYBOOK.replace("BIN", str(folder / "bin")))
    return run_playbook(
        PlaybookRequest(
            playbooks=folder,
            playbook="try.yml",
            inventory={"all": {"hosts": {"control": {}, **HOSTS}}},
            variables={
                "part": part,
                "dra_driver_nodes": NODES,
                "dra_driver_pools": POOLS,
                "dra_driver_image": "registry/driver",
                "dra_driver_rollout_timeout_s": 1,
            },
            private_key="none",
            known_hosts="",
            directory=folder,
            log=folder / "log",
            timeout_s=280,
        )
    )


def asked(folder: Path, word: str) -> list[str]:
    return [line for line in (folder / "asked").read_text().splitlines() if word in line]


def test_all_nodes_are_labelled_by_one_command_that_says_what_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"node/{node} not labeled\n" for node in NODES[1:])
    result = run(tmp_path, monkeypatch, "configure", labelled=f"{lines}node/{NODES[0]} labeled\n")
    (command,) = asked(tmp_path, "label")
    assert command.endswith(f"label --overwrite node {' '.join(NODES)} gpuregion.dev/gpu=true")
    assert result.changed == 1


def test_devices_of_all_nodes_are_read_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slices = "".join(f"{node} gpu-0 gpu-1\n{node} gpu-2 gpu-3\n" for node in (*NODES, NODES[2]))
    (*_, report) = run(tmp_path, monkeypatch, "verify", slices=slices).reports["control"]
    assert (report["role"], report["nodes"]) == ("dra_driver", NODES)
    assert len(asked(tmp_path, "resourceslices")) == 1


@pytest.mark.parametrize(
    ("slices", "wanting"),
    [
        ([f"{NODES[0]} a b c d", f"{NODES[1]} a b", f"{NODES[1]} c d", f"{NODES[2]} a b c d e f g h", "", "x a"], []),
        ([f"{NODES[0]} a b c d", f"{NODES[1]} a"], [f"{NODES[1]} (1)", f"{NODES[2]} (0)"]),
        ([], [f"{node} (0)" for node in NODES]),
    ],
)
def test_slices_of_a_node_are_added_up_and_who_lacks_devices_is_named_with_what_it_has(
    lab_plan: RegionPlan, slices: list[str], wanting: list[str]
) -> None:
    told: Any = {
        "dra_driver_nodes": NODES,
        "hostvars": HOSTS,
        "dra_driver_pools": POOLS,
        "__dra_driver_devices": {"stdout_lines": slices},
    }
    assert evaluate(lab_plan, "lab-r01-t01", "dra_driver", "__dra_driver_wanting", **told) == wanting
