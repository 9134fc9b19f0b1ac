"""The private folder of one playbook run.

Owns its life: made for the owner alone, in memory where the system has such a place, gone at the end together
with every process that worked for the run. A lock tells the folder of a run from what a killed run left, which
is removed by the next; the lock ends with its process, whatever name space that lived in.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "gpuregion-run-"
LOCK = "lock"
ROUNDS = 40
PAUSE_S = 0.05
"""Between two looks for processes: what is killed may have started another one in the moment before."""
MEMORY = Path("/dev/shm")  # noqa: S108 - each folder in it is made by mkdtemp, for its owner alone


@contextmanager
def private_folder(base: Path | None = None) -> Generator[Path]:
    """A folder that holds keys for as long as the run lasts."""
    parent = base or (MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir()))
    for folder in parent.glob(f"{PREFIX}*"):
        _remove_if_left(folder)
    folder, lock = _locked_folder(parent)
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(lock)


def _locked_folder(parent: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(lock):
            return folder, lock
        os.close(lock)  # another run took it for a leftover in the moment between the two calls


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_if_left(folder: Path) -> None:
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return  # gone meanwhile, somebody else's, or not locked yet
    try:
        if _lock(lock):
            _remove(folder)
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """What works for the run is ended first: it would outlive the run, and the key that it was opened with.

    A process group is not enough for that. Ansible's workers and shared SSH connections make sessions of their own.
    """
    for _ in range(ROUNDS):
        processes = list(_working_for(folder))
        for process in processes:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        if not processes:
            break
        time.sleep(PAUSE_S)
    shutil.rmtree(folder, ignore_errors=True)


def _working_for(folder: Path) -> Iterator[int]:
    """Processes that got the folder with their environment, or name it, as shared SSH connections do."""
    mark = str(folder).encode()
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with suppress(OSError):
                is_ours = mark in (process / "environ").read_bytes() or mark in (process / "cmdline").read_bytes()
                if is_ours and (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    yield int(process.name)
