"""The end of the whole lab: it goes, and leaves nothing."""

from __future__ import annotations

import subprocess

import pytest

from tests.e2e import machine
from tests.e2e.process import ENVIRONMENT, ROOT, run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_no_lock_is_left(before: dict[str, set[str]]) -> None:
    assert list((ROOT / ".region" / "state").glob(".pulumi/locks/**/*.json")) == []


def test_a_region_goes_down_and_leaves_nothing(before: dict[str, set[str]]) -> None:
    run("region", "down", "lab", "--yes")
    done = subprocess.run(["python", "-m", "lab", "down"], cwd=ROOT, env=ENVIRONMENT, check=False)
    assert done.returncode == 0
    assert machine.difference(before, machine.snapshot()) == {}
