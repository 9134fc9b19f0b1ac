"""The role nvidia_driver, run on this machine against an apt-get and an nvidia-smi of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import PlaybookFailedError, PlaybookRequest, RunResult, run_playbook
from tests.regions import ROOT

PLAYBOOK = """
- name: Try the role
  hosts: all
  gather_facts: false
  connection: local
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - name: Try one part
      ansible.builtin.include_role: {name: nvidia_driver, tasks_from: "{{ part }}"}
"""
KERNEL = (
    "Inst linux-image-6.12.48-amd64 (6.12.48-1 lab [amd64])\nInst nvidia-kernel-open-dkms (590.48.01-1 lab [amd64])"
)
REMOVAL = "Remv linux-image-amd64 [6.1.1-1]"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs that come before the machine's, and of the files that the role would write."""
    (tmp_path / "bin").mkdir()
    return tmp_path


def program(machine: Path, name: str, *, says: str, code: int = 0) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {code}\n")
    path.chmod(0o755)


def run(machine: Path, monkeypatch: pytest.MonkeyPatch, part: str, **more: Any) -> RunResult:
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(ROOT / "playbooks" / "roles"))
    (machine / "ansible.cfg").write_text("")
    (machine / "try.yml").write_text(
        PLAYBOOK.replace("vars: {", f'environment: {{PATH: "{machine}/bin:/usr/bin:/bin"}}\n  vars: {{')
    )
    variables = {
        "part": part,
        "nvidia_driver_version": "580.126.20",
        "nvidia_driver_gpu_count": 2,
        "__nvidia_driver_preferences": str(machine / "preferences"),
        "__nvidia_driver_trial_preferences": str(machine / "trial" / "preferences"),
        **more,
    }
    return run_playbook(
        PlaybookRequest(
            playbooks=machine,
            playbook="try.yml",
            inventory={"all": {"hosts": {"tray": {}}}},
            variables=variables,
            private_key="none",
            known_hosts="",
            directory=machine,
            log=machine / "log",
            check=part == "install",
            timeout_s=60,
        )
    )


@pytest.mark.parametrize(
    ("transaction", "named"), [(KERNEL, "linux-image-6.12.48-amd64"), (REMOVAL, "linux-image-amd64")]
)
def test_a_transaction_that_changes_the_kernel_is_refused_by_name(
    machine: Path, monkeypatch: pytest.MonkeyPatch, transaction: str, named: str
) -> None:
    program(machine, "apt-get", says=transaction)
    with pytest.raises(PlaybookFailedError, match=rf"would change the kernel: {named}\. Nothing was installed"):
        run(machine, monkeypatch, "install")


def test_gpus_are_counted_and_their_driver_is_compared(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine, "nvidia-smi", says="0, GB200, GPU-a, 580.126.20\n1, GB200, GPU-b, 580.126.20")
    (report,) = run(machine, monkeypatch, "verify").reports["tray"]
    assert (report["version"], report["gpus"], report["reboot_required"]) == ("580.126.20", 2, False)


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("0, GB200, GPU-a, 580.126.20", "shows 1 GPUs with driver 580.126.20"),
        ("0, GB200, GPU-a, 570.1\n1, GB200, GPU-b, 570.1", "shows 2 GPUs with driver 570.1"),
    ],
)
def test_a_lost_gpu_and_another_driver_are_told(
    machine: Path, monkeypatch: pytest.MonkeyPatch, says: str, found: str
) -> None:
    program(machine, "nvidia-smi", says=says)
    with pytest.raises(PlaybookFailedError, match=f"{found}, expected 2 with 580.126.20"):
        run(machine, monkeypatch, "verify")


def test_a_host_without_the_program_is_told(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlaybookFailedError, match="shows 0 GPUs with driver none"):
        run(machine, monkeypatch, "verify")
