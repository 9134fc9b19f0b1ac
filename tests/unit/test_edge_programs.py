"""Programs of the bench of edges: told when they do not start, ended when they are done with."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.edges.programs import Programs
from lab.errors import LabError


def test_a_program_that_ends_before_it_is_ready_is_told_with_what_it_said(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    programs.start("edge", ["sh", "-c", "echo the port is taken; exit 1"])
    with pytest.raises(LabError, match="edge did not start") as told:
        programs.wait_for("edge", "listens")
    assert "the port is taken" in str(told.value)


def test_a_program_takes_commands_until_it_is_ended_and_is_not_known_afterwards(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    programs.start("link", ["cat"], has_commands=True)
    assert "link" in programs
    programs.command("link", "cut essonne")
    programs.wait_for("link", "cut essonne")
    programs.end("link")
    assert "link" not in programs
    programs.end("link")


def test_all_programs_of_an_owner_end_together(tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    for name in ("one", "other"):
        programs.start(name, ["sh", "-c", f"echo {name}; exec sleep 60"])
        programs.wait_for(name, name)
    programs.end_all()
    assert "one" not in programs
    assert "other" not in programs
