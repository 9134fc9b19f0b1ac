"""The private folder of one playbook run.

Owns its life: made for the owner alone, in memory where the system has such a place, gone at the end together
with the SSH connections that ran through it. What killed runs left behind is removed by the next.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "gpuregion-run-"
MEMORY = Path("/dev/shm")  # noqa: S108 - each folder in it is made by mkdtemp, for its owner alone


@contextmanager
def private_folder(base: Path | None = None) -> Generator[Path]:
    """A folder that holds keys for as long as the run lasts."""
    parent = base or (MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir()))
    _remove_leftovers(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        _close_connections(folder / "cp")
        shutil.rmtree(folder, ignore_errors=True)


def _close_connections(sockets: Path) -> None:
    """End shared SSH connections: they would outlive the run, and the key that opened them."""
    for socket in sockets.glob("*") if sockets.is_dir() else ():
        subprocess.run(
            ["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "host"],
            capture_output=True,
            timeout=5,
            check=False,
        )


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)) and folder.stat().st_uid == os.getuid():
            _close_connections(folder / "cp")
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
