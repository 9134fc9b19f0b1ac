"""Long-lived programs: started once, known by record, never mistaken for another."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from lab import cgroups, processes
from lab.errors import LabError


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records in a directory of the test, and no control groups."""
    monkeypatch.setattr(processes, "_RECORDS", tmp_path / "records")
    monkeypatch.setattr(cgroups, "create", _no_groups)
    monkeypatch.setattr(cgroups, "_mounts", list)
    return tmp_path / "records"


def _no_groups(name: str, *, every_hierarchy: bool = True) -> list[Any]:
    del name, every_hierarchy
    return []


def test_a_program_is_started_once_and_stopped(tmp_path: Path) -> None:
    assert processes.start("sleeper", ["sleep", "60"], log=tmp_path / "log")
    pid = processes.pid_of("sleeper")
    assert pid is not None
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"
    assert not processes.start("sleeper", ["sleep", "60"], log=tmp_path / "log")
    assert processes.pid_of("sleeper") == pid
    assert processes.stop("sleeper")
    assert processes.pid_of("sleeper") is None
    assert processes.names() == []
    assert not processes.stop("sleeper")


def test_a_program_that_ignores_the_request_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    processes.start("stubborn", ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], log=log)
    while "deaf" not in log.read_text():
        time.sleep(0.01)
    pid = processes.pid_of("stubborn")
    assert pid is not None
    assert not processes.wait("stubborn", 0)
    os.kill(pid, signal.SIGTERM)
    assert not processes.wait("stubborn", 0.3)
    os.kill(pid, signal.SIGKILL)
    assert processes.wait("stubborn", 5)


def test_a_number_that_belongs_to_a_stranger_now_is_not_ours(tmp_path: Path, records: Path) -> None:
    processes.start("sleeper", ["sleep", "60"], log=tmp_path / "log")
    record = records / "sleeper"
    boot, stat = record.read_text().splitlines()
    number, name, *fields = stat.split()
    fields[19] = "1"  # started at another time
    record.write_text("\n".join([boot, " ".join([number, name, *fields])]))
    assert processes.pid_of("sleeper") is None
    record.write_text("\n".join(["another-boot", stat]))
    assert processes.pid_of("sleeper") is None
    record.write_text("\n".join([boot, stat]))
    assert processes.stop("sleeper")


def test_a_record_that_makes_no_sense_is_no_process(records: Path) -> None:
    records.mkdir()
    (records / "broken").write_text("half a li")
    assert processes.pid_of("broken") is None


def test_a_program_that_is_missing_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no-such-program"):
        processes.start("nothing", ["/no-such-program"], log=tmp_path / "log")
    assert processes.names() == []
