"""Wrong descriptions: a region of this repository, edited in a place or two, and what an operator then reads."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from components.errors import Problem, SpecError
from tests.regions import REGIONS, Edit, file_of, load_lab


@dataclass(frozen=True)
class Row:
    """One wrong description. The first edit's file is where the problem must be found."""

    rule: str
    edits: tuple[Edit, ...]
    line: str
    """Text of the line that the problem must point at, after the edits; unique in its file."""
    says: tuple[str, ...]
    """What the operator must read."""
    source: str
    """The region that is edited."""
    also: frozenset[str]
    """Rules that rightly speak too."""


def row(
    rule: str, file: str, old: str, new: str, *more: Edit, line: str, says: str, source: str = "essonne", also: str = ""
) -> Row:
    """A row; `says` is split at `|`, `also` at spaces."""
    return Row(rule, (Edit(file, old, new), *more), line, tuple(says.split("|")), source, frozenset(also.split()))


def edited(folder: Path, row: Row) -> Path:
    """A project in `folder` with the region of the row and its edits. Each edit must hit exactly once."""
    shutil.copytree(REGIONS / row.source, folder / "stacks/regions" / row.source)
    shutil.copytree(REGIONS / "_catalogue", folder / "stacks/regions/_catalogue")
    for edit in row.edits:
        path = file_of(folder, edit.file, row.source)
        text = path.read_text()
        assert text.count(edit.old) == 1, f"{edit.old!r} stands {text.count(edit.old)} times"
        path.write_text(text.replace(edit.old, edit.new))
    return folder


def problems_of(project: Path, region: str) -> tuple[Problem, ...]:
    """What is wrong with the region of this project."""
    try:
        load_lab(project, region)
    except SpecError as error:
        return error.problems
    return ()


def assert_refused(row: Row, folder: Path) -> None:
    """The row's rule speaks, with place, words, what is allowed and what to do; no other rule does."""
    project = edited(folder, row)
    problems = problems_of(project, row.source)
    assert {problem.rule for problem in problems} == {row.rule} | row.also, "\n".join(map(str, problems))
    problem = next(problem for problem in problems if problem.rule == row.rule)
    assert problem.file and problem.line
    assert file_of(project, row.edits[0].file, row.source) == folder / problem.file
    lines = (folder / problem.file).read_text().splitlines()
    assert row.line in lines[problem.line - 1], lines[problem.line - 1]
    assert problem.found and problem.allowed and problem.remedy
    for words in row.says:
        assert words in str(problem)
