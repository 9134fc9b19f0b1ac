"""A real Ironic of several processes, small: our admission is never rejected, and asking for all at once is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from benchmarks import ironic_scale as bench
from lab.ironic_scale import database
from lab.ironic_scale.cluster import Cluster, Group, Settings, cluster, temporary_folder

pytestmark = [
    pytest.mark.integration,
    pytest.mark.nightly,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(database.programs() is None, reason="PostgreSQL is missing: apt-get install postgresql"),
]
NODES, CAP = 60, 6
TYPES = "fake-hardware,redfish,redfish-kept-key"


@pytest.fixture
async def ironic() -> AsyncGenerator[tuple[Cluster, list[str]]]:
    """Two conductors in two groups, and nodes in both; Ironic takes 6 deployments at a time."""
    groups = ("row-1", "row-2")
    settings = Settings(
        groups=tuple(Group(name=name, hardware_types=TYPES) for name in groups),
        max_concurrent_deploy=CAP,
        deploy_delay_s="4",
    )
    # Not pytest's own folder: the database's user would not get through to its part of it.
    with temporary_folder() as folder, cluster(folder / "run", settings) as made:
        yield made, await bench.prepare(made, groups, NODES, {}, Path())


async def test_ironic_rejects_a_region_that_is_asked_for_at_once_and_none_that_is_admitted(
    ironic: tuple[Cluster, list[str]],
) -> None:
    made, names = ironic
    rows = made.database.ask("SELECT conductor_group, count(*) FROM nodes WHERE name LIKE 'n0%' GROUP BY 1 ORDER BY 1")
    assert rows == [("row-1", NODES // 2), ("row-2", NODES // 2)]

    at_once = await bench.all_at_once(made, names)
    assert at_once.answers["rejected 503"] > 0, "the control: without admission Ironic turns requests away"
    assert at_once.answers["accepted"] == at_once.active < NODES
    bench.give_back(made)

    admitted = await bench.admitted(made, names, limit=CAP)
    assert admitted.rejected == 0, dict(admitted.answers)
    assert admitted.active == NODES
    assert 1 < admitted.peak <= CAP
