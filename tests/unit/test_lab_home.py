"""Whose lab a machine runs, and who works on it."""

from __future__ import annotations

import copy
import json
import os
import signal
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from lab import cgroups, context, down, home, limits, links, network, processes, wiring
from lab.errors import LabError, OwnerError
from lab.home import Home
from lab.progress import JsonProgress
from lab.wiring import Wiring
from tests.unit.test_lab_wiring import GOOD


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a lab keeps in /run, in a directory of the test; the groups of a lab that may be up meanwhile are unseen."""
    at = tmp_path / "run"
    monkeypatch.setattr(home, "RUN", at)
    monkeypatch.setattr(down, "RUN", at)
    monkeypatch.setattr(processes, "_RECORDS", at / "processes")
    monkeypatch.setattr(context, "_AS_BUILT", at / "wiring.json")
    monkeypatch.setattr(limits, "_RECORD", at / "limits.json")
    monkeypatch.setattr(cgroups, "create", _no_groups)
    monkeypatch.setattr(cgroups, "_mounts", list)
    return at


def _no_groups(name: str, *, every_hierarchy: bool = True) -> list[Any]:
    del name, every_hierarchy
    return []


def test_the_lock_refuses_a_second_one_and_names_the_first() -> None:
    with home.locked(), pytest.raises(LabError, match=r"process \d+ holds"), home.locked():
        pass
    with home.locked():
        pass


@pytest.fixture
def first(tmp_path: Path) -> Generator[Home]:
    """Another checkout's lab that claimed this machine and runs one program; its folder is there to the end."""
    other = Home(path=tmp_path / "first")
    other.make()
    home.claim(other)
    processes.start("s3", ["sleep", "60"], log=other.logs / "s3.log")
    yield other
    processes.stop("s3")


def _end(name: str) -> None:
    pid = processes.pid_of(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert processes.wait(name, 10)


def test_another_checkouts_living_lab_is_refused_by_name(first: Home, tmp_path: Path) -> None:
    pid = processes.pid_of("s3")
    with pytest.raises(OwnerError, match=f"{first.path}: s3 runs") as caught:
        down.take_over(Home(path=tmp_path / "second"), JsonProgress())
    assert caught.value.remedy == f"take that one down first: LAB_HOME={first.path} python -m lab down"
    assert home.owner() == first.path
    assert processes.pid_of("s3") == pid


def test_a_living_lab_whose_folder_is_gone_is_refused_all_the_same(first: Home, tmp_path: Path) -> None:
    first.path.rename(tmp_path / "elsewhere")
    with pytest.raises(OwnerError, match=f"{first.path}: s3 runs"):
        down.take_over(Home(path=tmp_path / "second"), JsonProgress())


def test_ones_own_lab_is_never_taken_over(first: Home) -> None:
    down.take_over(first, JsonProgress())
    _end("s3")
    down.take_over(first, JsonProgress())
    assert home.owner() == first.path
    assert processes.names() == ["s3"]


def test_a_dead_lab_is_taken_over_and_what_it_left_is_removed(
    first: Home, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _end("s3")
    (run / "services").mkdir()
    (run / "services" / "s3").write_text("its settings")
    second = Home(path=tmp_path / "second")
    with home.locked():
        down.take_over(second, JsonProgress())
        assert [entry.name for entry in run.iterdir()] == ["lock"]
        home.claim(second)
    assert home.owner() == second.path
    assert first.logs.is_dir()
    (told,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert told["taken_over"] == str(first.path)
    assert told["text"] == f"nothing of the lab of {first.path} ran any more: what it left is removed"


def test_a_number_that_a_stranger_has_now_is_no_life_of_a_lab(first: Home, run: Path, tmp_path: Path) -> None:
    record = run / "processes" / "s3"
    boot, line = record.read_text().splitlines()
    _end("s3")
    own = Path(f"/proc/{os.getpid()}/stat").read_text()
    started = line.rpartition(")")[2].split()[19]
    # The number of this very process, which runs, with the start of the one that ended.
    fields = own.rpartition(")")[2].split()
    fields[19] = started
    record.write_text(f"{boot}\n{os.getpid()} (s3) {' '.join(fields)}\n")
    down.take_over(Home(path=tmp_path / "second"), JsonProgress())
    assert home.owner() is None


def test_a_name_space_of_a_lab_is_life_and_goes_with_its_network(
    first: Home, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _end("s3")
    (run / "wiring.json").write_text(json.dumps(_of_nobody()))
    second = Home(path=tmp_path / "second")
    there = {"nobody-leaf1"}
    removed: list[Wiring] = []

    def remove(found: Wiring) -> bool:
        removed.append(found)
        return True

    monkeypatch.setattr(links, "namespace_exists", there.__contains__)
    monkeypatch.setattr(network, "remove", remove)
    with pytest.raises(OwnerError, match=f"{first.path}: name spaces nobody-leaf1 exist"):
        down.take_over(second, JsonProgress())
    assert removed == []
    there.clear()
    down.take_over(second, JsonProgress())
    assert [found.device_names for found in removed] == [wiring.parse(_of_nobody()).device_names]


def _of_nobody() -> dict[str, Any]:
    """A wiring with names that no lab of this machine has."""
    text = json.dumps(copy.deepcopy(GOOD)).replace('"lab-', '"nobody-').replace("nobody-r01", "nobody-r")
    return json.loads(text)


def test_a_dead_lab_of_another_version_is_taken_over_too(first: Home, run: Path, tmp_path: Path) -> None:
    _end("s3")
    (run / "wiring.json").write_text('{"devices": []}')
    down.take_over(Home(path=tmp_path / "second"), JsonProgress())
    assert home.owner() is None


def test_a_lab_whose_checkout_is_gone_belongs_to_whoever_comes(tmp_path: Path) -> None:
    home.claim(Home(path=tmp_path / "gone"))
    down.take_over(Home(path=tmp_path / "new"), JsonProgress())
    assert home.owner() is None


def test_a_broken_owner_file_belongs_to_nobody(run: Path) -> None:
    run.mkdir()
    (run / "owner.json").write_text("{")
    assert home.owner() is None


def test_a_file_is_replaced_whole_and_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    home.write_atomically(path, "one", 0o600)
    home.write_atomically(path, "two", 0o600)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["secret"]
