"""The private folder of one playbook run.

Owns its life: made for the owner alone, in memory where the system has such a place, gone at the end together
with the SSH connections that ran through it. A lock tells the folder of a run from what a killed run left, which
is removed by the next; the lock ends with its process, whatever name space that lived in.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "gpuregion-run-"
LOCK = "lock"
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
    """Shared SSH connections are ended first: they would outlive the run, and the key that opened them."""
    for socket in (folder / "cp").glob("*"):
        subprocess.run(
            ["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "host"],
            capture_output=True,
            timeout=5,
            check=False,
        )
    shutil.rmtree(folder, ignore_errors=True)
