"""A lock that dies with its holder.

Owns exclusion between runs: flock on a file, so that the kernel lets go when the process ends in any
way, SIGKILL included. The file says who holds it and stays behind, unlocked, when nobody does.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from components.errors import Problem, RegionError

POLL_S = 0.2


class RunInProgressError(RegionError):
    """Another run works on the same devices."""


class RunLock:
    """Held from `acquire` until `release` or the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path, *, wait_s: float) -> RunLock:
        """Take the lock, waiting up to `wait_s`; then refuse, naming the holder."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait_s
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise _refusal(path, wait_s) from None
                    time.sleep(POLL_S)
            holder = {"pid": os.getpid(), "started": datetime.now(UTC).isoformat(timespec="seconds")}
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let go; harmless when done twice."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1


def _refusal(path: Path, wait_s: float) -> RunInProgressError:
    try:
        holder = json.loads(path.read_text())
        found = f"process {holder['pid']}, started {holder['started']}"
    except (OSError, ValueError, KeyError):
        found = "a process that has not said its name yet"
    return RunInProgressError(
        f"another run is at work on these devices; waited {wait_s:g} s for it",
        [
            Problem(
                path=path.name,
                message="only one run at a time may change these devices",
                found=found,
                remedy="wait for that process to end, or stop it (the lock goes with it), then run again",
                rule="one-writer",
            )
        ],
    )
