"""What the story of a whole lab begins and ends with.

The modules of this folder are one story, told in the order of their names; each module but the first and the last
also runs by itself on a lab that is up (`make up`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e import machine
from tests.e2e.isolation import folder, lab_plan, rivals
from tests.e2e.process import run
from tests.e2e.services import lab

__all__ = ["before", "folder", "lab", "lab_plan", "rivals"]


@pytest.fixture(scope="session")
def before() -> Iterator[dict[str, set[str]]]:
    """The machine without a lab; whatever happens, the lab is removed at the end."""
    run("python", "-m", "lab", "down", "--purge")
    run("region", "forget", "lab", "--yes")
    yield machine.snapshot()
    run("python", "-m", "lab", "down")
