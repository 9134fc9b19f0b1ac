"""Whose lab a machine runs, and who works on it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lab import home
from lab.errors import LabError, OwnerError
from lab.home import Home


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(home, "RUN", tmp_path / "run")
    return tmp_path / "run"


def test_the_lock_refuses_a_second_one_and_names_the_first() -> None:
    with home.locked(), pytest.raises(LabError, match=r"process \d+ holds"), home.locked():
        pass
    with home.locked():
        pass


def test_another_checkouts_lab_is_refused_by_name(tmp_path: Path) -> None:
    first, second = (Home(path=tmp_path / name) for name in ("first", "second"))
    first.make()
    home.claim(first)
    home.claim(first)
    with pytest.raises(OwnerError, match=str(first.path)):
        home.claim(second)


def test_a_lab_whose_checkout_is_gone_belongs_to_whoever_comes(tmp_path: Path) -> None:
    home.claim(Home(path=tmp_path / "gone"))
    home.claim(Home(path=tmp_path / "new"))
    assert home.owner() == tmp_path / "new"


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
