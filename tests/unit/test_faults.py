"""Seeded faults: each is named by the rule that it breaks, and what is right is not accused of anything.

The faults are data (tests/fixtures/faults), one file for each region: text that is replaced in one of its
files, and the id of the rule that must name it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from components.errors import Problem, SpecError
from components.spec import load, loader
from components.spec.catalogue.files import CatalogueFiles, read_catalogue
from components.spec.rules import RULES, catalogue
from tests.faults import Fault, faults
from tests.regions import REGIONS, ROOT

NAMES = sorted(path.name for path in REGIONS.iterdir() if path.is_dir() and not path.name.startswith("_"))


ALL = faults()


@cache
def _files_of_the_catalogue() -> CatalogueFiles:
    return read_catalogue(REGIONS / "_catalogue", root=ROOT)


def _read_once(folder: Path, *, root: Path) -> CatalogueFiles:
    return _files_of_the_catalogue()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], Path]:
    """Makes a project with the faulty region, and a catalogue of its own only where that is faulty."""

    def make(fault: Fault) -> Path:
        name = fault.folder or fault.region
        regions = tmp_path / "stacks/regions"
        shutil.copytree(REGIONS / fault.region, regions / name)
        edits = (fault, *fault.also)
        if any(edit.file.startswith("_catalogue/") for edit in edits):
            shutil.copytree(REGIONS / "_catalogue", regions / "_catalogue")
        else:  # reading it takes longer than all else
            monkeypatch.setattr(loader, "read_catalogue", _read_once)
        for edit in edits:
            path = _path(tmp_path, edit.file, regions / name)
            text = path.read_text() if path.is_file() else ""
            assert not edit.old or text.count(edit.old) == 1, f"{edit.old!r} stands {text.count(edit.old)} times"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(edit.old, edit.new) if edit.old else edit.new)
        return regions / name

    return make


def _path(project: Path, file: str, region: Path) -> Path:
    if file.startswith("."):
        return project / file
    return region.parent / file if file.startswith("_catalogue/") else region / file


def problems_of(region: Path) -> tuple[Problem, ...]:
    """What is wrong with it."""
    try:
        load(region, region.parent / "_catalogue")
    except SpecError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_a_fault_is_named_by_its_rule(fault: Fault, project: Callable[[Fault], Path]) -> None:
    problems = problems_of(project(fault))
    named = [problem for problem in problems if problem.rule == fault.rule]
    assert named, f"named by {[p.rule for p in problems]} only"
    assert any(fault.says in str(problem) for problem in named), "\n".join(map(str, named))
    for problem in named:
        assert problem.remedy, problem


@pytest.mark.parametrize("name", NAMES)
def test_a_region_that_is_right_is_accused_of_nothing(name: str) -> None:
    assert problems_of(REGIONS / name) == ()


def test_there_are_faults_in_all_regions_for_all_rules() -> None:
    assert len(ALL) >= 120
    assert {fault.region for fault in ALL} == set(NAMES)
    elsewhere = {rule.id for rule in catalogue.RULES}  # test_catalogue_reject.py
    assert {rule.id for rule in RULES} - {fault.rule for fault in ALL} - elsewhere == set()
