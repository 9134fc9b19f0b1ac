"""A systemd-nspawn machine in a network namespace that is there: the one host of an edge's cluster.

Owns its disk, its control groups and its power. It is a child of this process and is told to power off when this one
dies, and its mounts are its own; its control groups bear this process's number, so that the next start removes what a
kill left. Deliberately does not know what runs on it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from lab import cgroups, processes, shell
from lab.errors import LabError
from lab.hosts import groups

_HERE = Path(__file__).parent
_ENTER = _HERE.parent / "hosts" / "enter.sh"
_GROUPS = "edge-machines"
_PROPAGATED = Path("/run/systemd/nspawn/propagate")
_MEMORY_MIB = 8192
_BOOT_S = 60
_DATA = ("containerd", "kubelet", "etcd")


class Machine:
    """A machine with a disk that lasts from one boot to the next."""

    def __init__(self, folder: Path, name: str, layers: tuple[Path, Path]) -> None:
        self.folder = folder
        self.name = name
        self.layers = layers
        self._groups: list[Path] = []
        """In each hierarchy, with all that the machine makes below."""
        self._process: subprocess.Popen[bytes] | None = None
        for part in ("upper/etc", "work", "root", "sys", *_DATA):
            (folder / part).mkdir(parents=True)
        (folder / "upper/etc/hostname").write_text(f"{name}\n")

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._process is not None and self._process.poll() is None

    def power_on(self, namespace: str) -> None:
        """Boot, and wait until its system is up. To be called in a thread that outlives the machine: its end is the
        machine's."""
        boot = groups.make(f"{os.getpid()}-{self.name}", _MEMORY_MIB, _GROUPS)
        self._groups = [group.parent for group in boot]
        _remove_leftovers(self._groups)
        words = [_ENTER, *boot, "--", "unshare", "--mount", "--propagation=private"]
        words += [_HERE / "machine.sh", self.folder, namespace, *self.layers]
        with (self.folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        end = time.monotonic() + _BOOT_S
        while not self._is_up():
            if not self.is_on or time.monotonic() > end:
                said = (self.folder / "console.log").read_text(errors="replace")[-800:]
                raise LabError(f"the machine {self.name} does not boot", found=said)
            time.sleep(0.2)

    def run(self, *argv: str, stdin: str | None = None, timeout_s: float = 120) -> str:
        """Output of a program run on the machine."""
        return shell.run(*self.entrance(), *argv, stdin=stdin, timeout_s=timeout_s)

    def entrance(self) -> list[str]:
        """How a program is run on the machine, past its network and its keys."""
        inits = processes.children(self._process.pid) if self._process else []
        if not inits:
            raise LabError(f"the machine {self.name} runs no operating system")
        return ["nsenter", "-t", str(inits[0]), "-m", "-u", "-i", "-n", "-p", "-C", "--"]

    def cut(self) -> None:
        """Take its power away: all of it dies at once. Again is no error."""
        if self._process is None:
            return
        # SIGKILL for nspawn would leave its payload running: the payload's init must die.
        for pid in processes.children(self._process.pid) or [self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(30)
        self._process = None
        _remove(self._groups)
        with contextlib.suppress(OSError):
            (_PROPAGATED / self.name).rmdir()

    def remove(self) -> None:
        """Its disk, too."""
        self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is_up(self) -> bool:
        try:
            # Its name too: what nspawn starts first is not yet inside, and this machine may be up.
            said = self.run("sh", "-c", "hostname; systemctl is-active multi-user.target", timeout_s=10)
        except LabError:
            return False
        return said.split() == [self.name, "active"]


def _remove(ours: list[Path]) -> None:
    """A group stays busy until its last process is reaped."""
    end = time.monotonic() + 10
    while not all(cgroups.remove_tree(group) for group in ours) and time.monotonic() < end:
        time.sleep(0.05)
    for group in ours:
        with contextlib.suppress(OSError):
            group.parent.rmdir()


def _remove_leftovers(ours: list[Path]) -> None:
    """What runs that were killed left beside these groups. Their machines were told to power off by the kill."""
    for group in ours:
        for other in group.parent.iterdir():
            number = other.name.partition("-")[0]
            if other.is_dir() and number.isdigit() and not Path(f"/proc/{number}").exists():
                _kill(other)
                _remove([other])


def _kill(group: Path) -> None:
    for file in group.rglob("cgroup.procs"):
        with contextlib.suppress(OSError):  # what has ended meanwhile
            for pid in file.read_text().split():
                os.kill(int(pid), signal.SIGKILL)
