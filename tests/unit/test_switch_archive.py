"""The program for switches as one file: always the same bytes, and nothing needed but Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from components.clients.switch_archive import PACKAGE, switch_archive

IN_A_FOLDER = """
import pathlib, runpy, sys
archive, folder, *argv = sys.argv[1:]
sys.path.insert(0, archive)
from switch_agent import files
files.VOLATILE = files.KEPT = pathlib.Path(folder)
sys.argv = [archive, *argv]
runpy.run_path(archive, run_name="__main__")
"""
"""Runs the archive as `python3 ARCHIVE` does, but that it keeps its files in a folder of the test."""


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    archive = folder / "fabric-commit"
    archive.write_bytes(switch_archive())
    # -I -S: neither the project nor any installed package is on the path, as on a switch
    command = [sys.executable, "-I", "-S", "-c", IN_A_FOLDER, str(archive), str(folder), *argv]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def test_the_same_content_is_the_same_file() -> None:
    first = switch_archive()
    switch_archive.cache_clear()
    assert switch_archive() == first


def test_it_runs_where_nothing_is_installed(tmp_path: Path) -> None:
    (tmp_path / "factory.conf").write_text("frr version 8.4.4\n")
    done = run(tmp_path, "factory")
    assert json.loads(done.stdout) == {"factory": "frr version 8.4.4\n"}, done.stderr


def test_a_refusal_is_an_answer(tmp_path: Path) -> None:
    done = run(tmp_path, "confirm", "c1")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "commit c1 is not pending here"), done.stderr


def test_it_names_nothing_of_the_project() -> None:
    assert all("components" not in path.read_text() for path in PACKAGE.glob("*.py"))
