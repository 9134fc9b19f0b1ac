"""What surrounds a run: the lock that keeps a second one away, and a temporary directory that goes with it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Generator

from components.engine.lock import RunLock
from stacks.project import state_folder

LOCK_WAIT_S = 10.0
"""For another run on the region, before this one is refused."""


@contextlib.contextmanager
def alone(region: str) -> Generator[None]:
    """Keeps a second run away from all of the region; raises RunInProgressError naming the first.

    Each stack has a lock of its own in the journal, also for a plain `pulumi up`. That would let a second run begin
    with the machines while the first is at the cluster on them.
    """
    folder = state_folder(region)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = RunLock.acquire(folder / "run.lock", wait_s=LOCK_WAIT_S)
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def scratch() -> Generator[None]:
    """A temporary directory of the run's own, removed with all that is in it.

    The Kubernetes provider writes the kubeconfig, key included, to a temporary file and leaves it there.
    """
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="gpuregion-") as folder:
        os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before
