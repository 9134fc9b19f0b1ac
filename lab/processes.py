"""Long-lived programs of the lab: started once, known by record, ended by record.

A record holds the process's number, its start time and the machine's boot: a number alone may belong
to a stranger by now. Nothing is ever searched or ended by its name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import cgroups
from lab.errors import LabError
from lab.home import RUN

_RECORDS = RUN / "processes"
_LAUNCH = Path(__file__).with_name("launch.sh")


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    every_hierarchy: bool = False,
    cwd: Path | None = None,
) -> bool:
    """Start a program unless it runs; whether it had to be started. It outlives this process."""
    if pid_of(name) is not None:
        return False
    if shutil.which(argv[0]) is None:
        raise LabError(f"{name} cannot be started: its program is missing", found=str(argv[0]))
    forget(name)
    _RECORDS.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    groups = cgroups.create(name, every_hierarchy=every_hierarchy)
    with log.open("ab") as sink:
        child = subprocess.Popen(
            [str(w) for w in (_LAUNCH, _RECORDS / name, *groups, "--", *argv)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=None if env is None else dict(env),
            cwd=cwd,
        )
    while _is_still_launching(name):
        if child.poll() is not None:
            raise LabError(f"{name} ended as soon as it was started", found=tail(log), remedy=f"read {log}")
        time.sleep(0.005)
    return True


def pid_of(name: str) -> int | None:
    """Number of a program's process, if that very process still runs."""
    try:
        boot, stat = (_RECORDS / name).read_text().splitlines()[:2]
    except (OSError, ValueError):
        return None
    pid = int(stat.split()[0])
    now = _stat(pid)
    same = now is not None and boot == _boot() and _start_time(now) == _start_time(stat)
    return pid if same else None


def names() -> list[str]:
    """All programs that have a record, running or not."""
    return sorted(p.name for p in _RECORDS.glob("*") if p.suffix != ".new") if _RECORDS.exists() else []


def stop(name: str, *, grace_s: float = 10) -> bool:
    """Ask a program to end, make it end after `grace_s`, and clean up after it; whether it ran."""
    pid = pid_of(name)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait(name, grace_s)
    forget(name)
    return pid is not None


def wait(name: str, timeout_s: float) -> bool:
    """Wait for a program's end; whether it came in time."""
    end = time.monotonic() + timeout_s
    while pid_of(name) is not None:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def forget(name: str) -> None:
    """Remove what is left of a program: processes of its group, the group, the record."""
    cgroups.kill(name)
    cgroups.remove(name)
    (_RECORDS / name).unlink(missing_ok=True)


def children(pid: int) -> list[int]:
    """Processes that a process has started and not yet reaped."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def tail(log: Path, characters: int = 600) -> str:
    """The end of a log, for an error message."""
    try:
        return log.read_text(errors="replace")[-characters:].strip() or "nothing in the log"
    except OSError:
        return "no log"


def _is_still_launching(name: str) -> bool:
    """Whether the launcher has not yet become the program."""
    pid = pid_of(name)
    try:
        return pid is None or str(_LAUNCH).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def _stat(pid: int) -> str | None:
    """A process's line in /proc, unless it is dead or a zombie."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return None if _fields(line)[0] in "ZX" else line


def _fields(stat: str) -> list[str]:
    """Fields from the state on; the name before them may hold spaces and brackets."""
    return stat.rpartition(")")[2].split()


def _start_time(stat: str) -> str:
    return _fields(stat)[19]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
