"""Rules about runbooks: each names commands that its reader can run, and a test runs them on the real symptom."""

from __future__ import annotations

import re

import pytest

from tests.e2e import runbooks
from tests.e2e.process import ROOT

NAMES = sorted(path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md"))
TESTS = "\n".join(
    path.read_text() for tier in ("e2e", "integration") for path in (ROOT / "tests" / tier).glob("test_*.py")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_has_commands_and_a_test_that_makes_the_symptom_runs_them(name: str) -> None:
    assert len(runbooks.steps(name)) >= 4
    assert re.search(rf'runbooks\.(diagnose|steps)\("{name}"\)', TESTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_the_lab_that_a_runbook_names_is_where_the_lab_puts_it(name: str) -> None:
    text = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()
    folders = {path.split("/")[1] for path in re.findall(r"\.lab/[\w.*/-]+", text)}
    assert folders <= {"hosts", "logs", "pki", "secrets", "switches"}
