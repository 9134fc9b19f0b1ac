"""A lock is taken away only where one can see that its holder is dead."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from stacks.cli.stale_locks import drop_stale_locks


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "region" / "lab.fabric"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Generator[subprocess.Popen[bytes]]:
    """A program that the kernel knows as pulumi."""
    shutil.copy("/bin/sleep", tmp_path / "pulumi")
    with subprocess.Popen([tmp_path / "pulumi", "60"]) as process:
        while Path(f"/proc/{process.pid}/comm").read_text().strip() != "pulumi":
            time.sleep(0.01)  # it takes the name some moments after its birth
        yield process
        process.kill()


def lock(folder: Path, pid: int, host: str = "") -> Path:
    path = folder / f"{pid}.json"
    path.write_text(json.dumps({"pid": pid, "username": "root", "hostname": host or socket.gethostname()}))
    return path


def test_the_lock_of_a_killed_run_is_removed(locks: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    held = lock(locks, dead.pid)
    assert drop_stale_locks(["lab.fabric", "lab.substrate"]) == ["lab.fabric"]
    assert not held.exists()


def test_a_number_that_another_program_has_by_now_is_no_holder(locks: Path) -> None:
    held = lock(locks, 1)
    assert drop_stale_locks(["lab.fabric"]) == ["lab.fabric"]
    assert not held.exists()


def test_the_lock_of_a_run_that_lives_stays(locks: Path, engine: subprocess.Popen[bytes]) -> None:
    held = lock(locks, engine.pid)
    assert drop_stale_locks(["lab.fabric"]) == []
    assert held.exists()


def test_a_lock_from_another_machine_or_of_another_form_stays(locks: Path) -> None:
    foreign = lock(locks, 1, host="another-machine")
    (locks / "odd.json").write_text("{}")
    assert drop_stale_locks(["lab.fabric"]) == []
    assert foreign.exists()


def test_state_in_an_object_store_is_left_alone(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = lock(locks, 1)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    assert drop_stale_locks(["lab.fabric"]) == []
    assert held.exists()
