"""Locks that a dead run left in local state.

Pulumi keeps a stack locked after its engine was killed, until somebody runs `pulumi cancel`. On this machine one can
see whether whoever holds a lock still lives; a lock from another machine, or in an object store, is left to a person.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from stacks.project import state_folder

FILE_BACKEND = "file://"


def drop_stale_locks(stacks: Iterable[str]) -> list[str]:
    """Remove the locks of these stacks whose holders are dead; the stacks that had one."""
    backend = os.environ.get("PULUMI_BACKEND_URL", f"{FILE_BACKEND}{state_folder() / 'state'}")
    if not backend.startswith(FILE_BACKEND):
        return []
    locks = Path(unquote(backend.removeprefix(FILE_BACKEND))) / ".pulumi" / "locks"
    freed: list[str] = []
    for stack in stacks:
        for lock in locks.glob(f"organization/*/{stack}/*.json"):
            if _holder_is_dead(lock):
                lock.unlink(missing_ok=True)
                freed.append(stack)
    return freed


def _holder_is_dead(lock: Path) -> bool:
    try:
        held = json.loads(lock.read_text())
        is_ours, pid = held["hostname"] == socket.gethostname(), int(held["pid"])
    except (OSError, ValueError, KeyError):
        return False  # not a lock as we know them, or it is gone by now
    try:
        # the number may belong to another program by now
        return is_ours and Path(f"/proc/{pid}/comm").read_text().strip() != "pulumi"
    except OSError:
        return is_ours
