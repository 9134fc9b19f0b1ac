"""The machine of an edge's cluster, alone: what lasts when its power is cut, and what a kill of its owner leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cgroups
from lab.edges import node_root, spaces
from lab.edges.machine import Machine
from tests.regions import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),  # its packages are built where no other run has
    pytest.mark.skipif(os.geteuid() != 0, reason="boots a machine in a network namespace: run it as root"),
]

OWNER = """
import signal, sys
from pathlib import Path
from lab.edges import node_root
from lab.edges.machine import Machine
folder, space = Path(sys.argv[1]), sys.argv[2]
machine = Machine(folder / "machine", "host-a", node_root.layers(folder / "log"))
machine.power_on(space)
print(machine.entrance()[2], flush=True)
signal.pause()
"""


@pytest.fixture
def space() -> Iterator[str]:
    name = spaces.name_of("machine")
    spaces.create([name])
    yield name
    spaces.remove([name])


def groups_of(pid: int) -> list[Path]:
    """Control groups of machines that this process owns, or owned."""
    return [group for top in cgroups.MOUNT.rglob("edge-machines") for group in top.glob(f"{pid}-*")]


def mounts_below(folder: Path) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line]


def test_a_machine_whose_power_is_cut_keeps_its_disk_and_leaves_nothing_on_the_bench(
    tmp_path: Path, space: str
) -> None:
    machine = Machine(tmp_path / "machine", "host-a", node_root.layers(tmp_path / "log"))
    try:
        machine.power_on(space)
        assert machine.run("hostname").strip() == "host-a"
        assert groups_of(os.getpid())
        machine.run("sh", "-c", "echo written >/etc/note; sync")
        machine.cut()
        assert not machine.is_on
        assert not groups_of(os.getpid())
        machine.power_on(space)
        assert machine.run("cat", "/etc/note") == "written\n"
    finally:
        machine.remove()
    assert not groups_of(os.getpid())
    assert not mounts_below(tmp_path)
    assert not machine.folder.exists()


def test_a_machine_ends_with_its_owner_and_the_next_start_removes_its_groups(tmp_path: Path, space: str) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, killed, space], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    init = Path("/proc") / owner.stdout.readline().strip()
    assert (init / "stat").exists()
    owner.send_signal(signal.SIGKILL)
    owner.wait(10)
    end = time.monotonic() + 60
    while (init / "stat").exists():
        assert time.monotonic() < end, "the machine outlives its owner"
        time.sleep(0.1)
    assert groups_of(owner.pid), "the control: a kill leaves them"
    machine = Machine(tmp_path / "machine", "host-b", node_root.layers(tmp_path / "log"))
    try:
        machine.power_on(space)
        assert not groups_of(owner.pid)
        assert groups_of(os.getpid())
    finally:
        machine.remove()
    assert not mounts_below(tmp_path)
