"""Programs that end with the program that started them, and what they cost.

Owns starting and ending them, and the sum of the processor time and memory of a program with all its children.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GRACE_S = 20.0


@dataclass(frozen=True)
class Running:
    """A program that runs."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def cpu_s(self) -> float:
        """Processor time of the program and its children so far, those included that have ended."""
        return sum(sum(_stat(pid)[11:15]) for pid in self._tree()) / _TICKS

    @property
    def rss_mib(self) -> float:
        """Resident memory of the program and its children; shared pages count in each."""
        return sum(_stat(pid)[21] for pid in self._tree()) * _PAGE / 2**20

    @property
    def processes(self) -> int:
        """How many processes the program is."""
        return len(self._tree())

    def _tree(self) -> list[int]:
        found, todo = list[int](), [self.process.pid]
        while todo:
            pid = todo.pop()
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    todo += [int(child) for child in (task / "children").read_text().split()]
                found.append(pid)
        return found


@contextmanager
def running(
    name: str,
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Generator[Running]:
    """A program, as another user if so wanted, asked to end by `stop` and made to end after a while."""
    # The kernel asks it to end too, should this process be killed.
    words = ["setpriv", "--pdeathsig", stop.name.removeprefix("SIG")]
    words += ["--reuid", user, "--regid", user, "--clear-groups"] if user else []
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*words, "--", *(str(word) for word in argv)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=None if env is None else dict(env),
            cwd="/",
            start_new_session=True,
        )
    try:
        yield Running(name, process)
    finally:
        process.send_signal(stop)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _stat(pid: int) -> list[int]:
    """Numbers of /proc/PID/stat from the state on; the state itself, a letter, reads as 0."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0] * 50
    return [0, *(int(word) for word in words[1:])]
