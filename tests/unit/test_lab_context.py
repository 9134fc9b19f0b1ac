"""What a lab remembers about how it was built."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import context, wiring
from lab.context import Lab
from lab.errors import LabError
from lab.home import Home
from tests.unit.test_lab_wiring import GOOD

WIRING = wiring.parse(GOOD)


@pytest.fixture(autouse=True)
def as_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(context, "_AS_BUILT", tmp_path / "run" / "wiring.json")
    return tmp_path / "run" / "wiring.json"


def test_a_lab_is_known_as_it_was_built_when_its_wiring_file_is_gone(tmp_path: Path) -> None:
    home = Home(path=tmp_path)
    assert not Lab.is_described(home)
    Lab(home, WIRING).write_as_built()
    assert Lab.is_described(home)
    assert Lab.running(home).wiring == WIRING


def test_a_wiring_that_forgets_a_device_is_refused_while_the_lab_is_up(tmp_path: Path) -> None:
    home = Home(path=tmp_path)
    Lab(home, WIRING).write_as_built()
    Lab(home, WIRING).write_as_built()
    smaller = WIRING.model_copy(update={"machines": WIRING.machines[:1]})
    with pytest.raises(LabError, match="lab-r01-t02"):
        Lab(home, smaller).write_as_built()


def test_a_device_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    lab = Lab(Home(path=tmp_path), WIRING)
    assert lab.device("lab-leaf1").name == "lab-leaf1"
    with pytest.raises(LabError, match="lab-leaf1, lab-r01-t01"):
        lab.device("nobody")
