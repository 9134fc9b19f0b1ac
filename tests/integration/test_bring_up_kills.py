"""A bring-up that is killed anywhere completes when it is run again, and repeats nothing that cannot be taken back.

The simulator counts what is done to each endpoint; each count must be that of an undisturbed run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bring_up_kills import ENDED, LOST, points, run
from tests.bring_up_once import CHANGES, assert_everything_happened_once
from tests.bring_up_world import World, calm, world

pytestmark = pytest.mark.integration


def killed_and_completed(there: World, seed: int, number: int) -> int:
    """Kill runs at so many points, then let one through; how many were killed."""
    region, killed = there.region, 0
    for point in points(seed, number, there.racks * CHANGES):
        ended = run(region, there.files, there, point)
        assert ended in (LOST, ENDED), f"a run failed instead of dying at {point}"
        killed += ended == LOST
    assert run(region, there.files, there, None) == ENDED
    return killed


@pytest.mark.timeout(900)
def test_a_run_of_20_racks_that_is_killed_three_times_does_everything_once(tmp_path: Path) -> None:
    with world(tmp_path, 20, calm(time={"compression": 3000})) as there:
        assert killed_and_completed(there, seed=5, number=3) >= 2
        assert_everything_happened_once(there)


@pytest.mark.nightly
@pytest.mark.timeout(14400)
def test_runs_of_20_racks_that_are_killed_at_200_points_do_everything_once(tmp_path: Path) -> None:
    killed = life = 0
    while killed < 200:  # what is under way at a kill is done by the devices: one life has no room for them all
        life += 1
        assert life <= 20, f"only {killed} kills"
        with world(tmp_path / str(life), 20, calm(time={"compression": 3000})) as there:
            killed += killed_and_completed(there, seed=life, number=40)
            assert_everything_happened_once(there)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_a_run_of_250_racks_that_is_killed_at_10_points_does_everything_once(tmp_path: Path) -> None:
    with world(tmp_path, 250, calm(time={"compression": 600})) as there:
        assert killed_and_completed(there, seed=250, number=10) >= 9
        assert_everything_happened_once(there)
