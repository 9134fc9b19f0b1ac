"""A bring-up that is killed anywhere completes when it is run again, and repeats nothing that cannot be taken back.

The simulator counts what is done to each endpoint; each count must be that of an undisturbed run.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from components.engine.journal import Journal
from stacks.bring_up import scope_of
from tests.bring_up_kills import ENDED, LOST, points, run
from tests.bring_up_world import World, calm, world

pytestmark = pytest.mark.integration

ONCE = {
    "power_shelf": {"password_change": 1, "flash": 2, "bmc_reset": 1},
    "nvlink_switch": {"password_change": 1, "flash": 6, "aux_cycle": 1},
    "dpu": {"password_change": 1, "flash": 4, "bmc_reset": 1, "power_cycle": 1},
    "compute_tray": {
        "password_change": 1,
        "flash": 11,
        "aux_cycle": 1,
        "bios_set": 4,
        "power_on": 1,
        "power_off": 1,
    },
}
"""What is done to an endpoint of each kind, once; a flash is counted by component."""
CHANGES = 8 * 3 + 9 * 3 + 36 * 4 + 18 * 6
"""Requests of a rack that change something."""


def kind_of(endpoint: str) -> str:
    place = endpoint.partition("/")[2]
    if place.startswith(("nvlink", "power-shelf")):
        return "nvlink_switch" if place.startswith("nvlink") else "power_shelf"
    return "dpu" if "/" in place else "compute_tray"


def killed_and_completed(there: World, seed: int, number: int) -> int:
    """Kill runs at so many points, then let one through; how many were killed."""
    region, killed = there.region, 0
    for point in points(seed, number, there.racks * CHANGES):
        ended = run(region, there.files, there, point)
        assert ended in (LOST, ENDED), f"a run failed instead of dying at {point}"
        killed += ended == LOST
    assert run(region, there.files, there, None) == ENDED
    return killed


def assert_everything_happened_once(there: World) -> None:
    found = there.ledger()
    wrong = {name: done for name, done in found.items() if done != ONCE[kind_of(name)]}
    assert not wrong, f"{len(wrong)} endpoints, such as {dict(list(wrong.items())[:3])}"
    assert Counter(map(kind_of, found)) == {
        "power_shelf": 8 * there.racks,
        "nvlink_switch": 9 * there.racks,
        "dpu": 36 * there.racks,
        "compute_tray": 18 * there.racks,
    }
    with sqlite3.connect(there.files.journal) as journal:
        (open_intents,) = journal.execute("SELECT count(*) FROM actions WHERE outcome IS NULL").fetchone()
        (enrolled,) = journal.execute("SELECT count(DISTINCT target) FROM actions WHERE kind = 'enrol'").fetchone()
    assert (open_intents, enrolled) == (0, 18 * there.racks)
    Journal.open(there.files.journal, scope=scope_of("essonne"), wait_s=0).close()  # no lock is left


@pytest.mark.timeout(900)
def test_a_run_of_20_racks_that_is_killed_four_times_does_everything_once(tmp_path: Path) -> None:
    with world(tmp_path, 20, calm(time={"compression": 3000})) as there:
        assert killed_and_completed(there, seed=5, number=4) >= 3
        assert_everything_happened_once(there)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_a_run_of_20_racks_that_is_killed_at_200_points_does_everything_once(tmp_path: Path) -> None:
    with world(tmp_path, 20, calm(time={"compression": 3000})) as there:
        assert killed_and_completed(there, seed=200, number=200) >= 190
        assert_everything_happened_once(there)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_a_run_of_250_racks_that_is_killed_at_10_points_does_everything_once(tmp_path: Path) -> None:
    with world(tmp_path, 250, calm(time={"compression": 600})) as there:
        assert killed_and_completed(there, seed=250, number=10) >= 9
        assert_everything_happened_once(there)
