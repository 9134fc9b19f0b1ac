"""`region export`: one file is printed, several are written, and a wrong name is told what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.clients.file_tree import MARK
from components.errors import SpecError
from stacks.cli import main as cli


def run(*words: str) -> str:
    done = CliRunner().invoke(cli.app, ["export", *words], catch_exceptions=False)
    return done.stdout


def test_a_render_of_one_file_is_printed() -> None:
    assert "Dhcp4" in json.loads(run("lab", "dhcp"))


def test_one_of_several_files_is_printed_by_its_name() -> None:
    assert run("lab", "switches", "--only", "lab-leaf1/frr.conf").startswith("frr version")


def test_all_files_of_a_render_are_written(tmp_path: Path) -> None:
    run("lab", "switches", "--out", str(tmp_path / "out"))
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert names == {f"lab-{name}/frr.conf" for name in ("leaf1", "leaf2", "spine1", "spine2")} | {MARK}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lab", "switches"], "one file is printed at a time"),
        (["lab", "switches", "--only", "lab-leaf9/frr.conf"], "there is no such file"),
        (["lab", "nothing"], "there is no such view or render"),
        (["lab", "all"], "all of them are written to a folder"),
        (["lab", "wiring", "--out", "somewhere"], "a view is printed"),
    ],
)
def test_what_cannot_be_exported_is_told(words: list[str], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        run(*words)


def test_a_view_of_machines_that_are_not_received_says_so() -> None:
    from stacks.cli.export import _one  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(SpecError, match="holds nothing of this region yet"):
        _one("nico", {}, None)
