"""A folder of files is written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.clients.file_tree import MARK, write_tree
from components.errors import SpecError


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file() and p.name != MARK}


def breaks() -> Iterator[tuple[str, str]]:
    yield "a", "new"
    raise RuntimeError("out of words")


def test_files_are_written_and_what_is_no_longer_made_goes(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    assert write_tree(folder, [("a", "1"), ("b/c", "2")], made_by="x") == 2
    assert content(folder) == {"a": "1", "b/c": "2"}
    write_tree(folder, [("a", "3")], made_by="x")
    assert content(folder) == {"a": "3"}
    assert [p.name for p in folder.parent.iterdir()] == ["out"], "nothing is left beside it"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_tree(folder, [("a", "old"), ("b", "old")], made_by="x")
    with pytest.raises(RuntimeError):
        write_tree(folder, breaks(), made_by="x")
    assert content(folder) == {"a": "old", "b": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_at_first_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_tree(tmp_path / "out", breaks(), made_by="x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(SpecError, match="nothing was written"):
        write_tree(tmp_path, [("a", "1")], made_by="x")
    assert content(tmp_path) == {"mine.txt": "precious"}


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", ""])
def test_no_file_is_written_outside(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="no path inside"):
        write_tree(tmp_path / "out", [(path, "x")], made_by="x")
    assert list(tmp_path.iterdir()) == []
