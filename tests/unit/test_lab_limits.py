"""Kernel limits are raised while the lab is up, and put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import limits


@pytest.fixture(autouse=True)
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(limits, "_SYS", tmp_path)
    monkeypatch.setattr(limits, "_RECORD", tmp_path / "limits.json")
    (tmp_path / "low").write_text("128\n")
    (tmp_path / "high").write_text("9999\n")
    return tmp_path


WANTED = {"low": 1024, "high": 1024}


def test_only_what_is_too_low_is_raised_and_put_back(kernel: Path) -> None:
    assert limits.raise_all(WANTED)
    assert ((kernel / "low").read_text(), (kernel / "high").read_text()) == ("1024", "9999\n")
    assert not limits.raise_all(WANTED)
    assert limits.restore(WANTED)
    assert (kernel / "low").read_text() == "128"
    assert not limits.restore(WANTED)


def test_a_second_raise_after_a_kill_remembers_the_first_value(kernel: Path) -> None:
    limits.raise_all({"low": 512})
    limits.raise_all(WANTED)
    limits.restore(WANTED)
    assert (kernel / "low").read_text() == "128"


def test_what_somebody_changed_since_is_left_to_him(kernel: Path) -> None:
    limits.raise_all(WANTED)
    (kernel / "low").write_text("4096")
    assert not limits.restore(WANTED)
    assert (kernel / "low").read_text() == "4096"
