"""A bench of its own for a lab under test, beside whatever lab this machine runs.

Network, mounts, processes and control groups are name spaces of a process that sleeps; tests enter
them. What a test leaves there is seen by comparing snapshots, and goes when the process is killed.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import cgroups, limits, processes
from lab.home import owner
from tests.e2e import machine
from tests.regions import ROOT

_GROUPS = "lab-bench"


@dataclass(frozen=True)
class Bench:
    """A machine as far as the lab can tell."""

    pid: int
    """First process of the bench, seen from outside."""
    groups: tuple[Path, ...]
    """Control groups that are "/" on the bench."""
    home: Path
    """LAB_HOME of the lab on it."""

    def _argv(self, *argv: str | Path) -> list[str]:
        join = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self.groups)
        enter = f"exec nsenter -t {self.pid} -m -n -p -C --wd={ROOT} -- {shlex.join(str(word) for word in argv)}"
        return ["sh", "-ec", join + enter]

    def start(self, *argv: str | Path) -> subprocess.Popen[str]:
        """Start a program on the bench."""
        return subprocess.Popen(
            self._argv(*argv),
            cwd=ROOT,
            env={**os.environ, "LAB_HOME": str(self.home), "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *argv: str | Path, code: int = 0, timeout_s: float = 100) -> str:
        """Output of a program on the bench; it must end with `code`."""
        process = self.start(*argv)
        output, _ = process.communicate(timeout=timeout_s)
        assert process.returncode == code, f"{argv} ended with {process.returncode}:\n{output}"
        return output

    def lab(self, *words: str, code: int = 0) -> str:
        """Run a command of the lab."""
        return self.run(sys.executable, "-m", "lab", *words, code=code)

    def start_lab(self, *words: str) -> subprocess.Popen[str]:
        return self.start(sys.executable, "-m", "lab", *words)

    def kill_lab(self, process: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> str:
        """Send a signal to a command of the lab, not to what carried it onto the bench; its output so far."""
        for child in processes.children(process.pid):
            os.kill(child, number)
        output, _ = process.communicate(timeout=60)
        return output

    def snapshot(self) -> dict[str, set[str]]:
        """Everything on the bench that a lab could leave there."""
        text = self.run(sys.executable, "-m", "tests.integration.bench")
        return {kind: set(values) for kind, values in json.loads(text).items()}


@contextmanager
def bench(home: Path) -> Generator[Bench]:
    """Make a bench, and take it away with all that is on it."""
    groups = cgroups.create(f"{os.getpid()}-{time.monotonic_ns()}", parent=_GROUPS)
    script = Path(__file__).with_name("bench.sh")
    # Not of a name space: a lab that a test kills would leave them raised.
    kept = {path: path.read_text() for path in (Path("/proc/sys") / key for key in limits.WANTED)}
    process = subprocess.Popen([script, str(owner() or "none"), *groups], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield Bench(int(first), tuple(groups), home)
    finally:
        process.kill()
        process.wait()
        _remove(groups)
        for path, value in kept.items():
            path.write_text(value)


def _remove(groups: Sequence[Path]) -> None:
    end = time.monotonic() + 10
    while not all(cgroups.remove_tree(group) for group in groups) and time.monotonic() < end:
        time.sleep(0.05)
    for group in groups:
        cgroups.remove_tree(group.parent)


def _look() -> dict[str, list[str]]:
    """Called on the bench: what every lab test looks at, and all that is in /run or runs at all."""
    found = {kind: sorted(values) for kind, values in machine.snapshot().items()}
    # Loop devices have no name space: another lab of this machine may use some.
    found["loops"] = [line for line in found["loops"] if os.environ["LAB_HOME"] in line]
    found["run"] = sorted(str(p) for p in Path("/run").rglob("*") if p.is_file() or p.name.startswith("lab"))
    found["limits"] = [f"{key} {(Path('/proc/sys') / key).read_text().strip()}" for key in limits.WANTED]
    found["all processes"] = sorted(_commands())
    return found


def _commands() -> Generator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        is_own = folder.name in ("1", str(os.getpid())) or command.startswith(b"sleep\0")
        if not is_own and ") Z " not in stat:
            yield command.replace(b"\0", b" ").decode(errors="replace").strip()


if __name__ == "__main__":
    print(json.dumps(_look()))
