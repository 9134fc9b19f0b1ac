"""The least time of a bring-up on the simulated fleet is computed from what its machines will take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.fleet_floor import floor, floor_by_kind
from components.clients.bmc.supplier import read_supplier
from components.plan.bring_up.compile import Plan, compile_bring_up
from lab.fleet import description
from lab.fleet.describe import describe
from lab.fleet.description import Description
from lab.fleet.kinds import Kind
from lab.fleet.scenario import Scenario
from tests.bring_up_world import SERIES, region_of

EXACT = {"flash_s": {"p50": 600, "p99": 600}, "latency_s": {"p50": 1, "p99": 1}}
DURATIONS = {"task_pending": 5, "bmc_reset": 90, "aux_cycle": 150, "power_on": 8}


def scenario(**changes: Any) -> Scenario:
    """Everything takes exactly its median."""
    durations = {name: {"p50": value, "p99": value} for name, value in DURATIONS.items()}
    kinds = {kind.value: EXACT for kind in Kind}
    return Scenario.model_validate({"kinds": kinds, "durations": durations, **changes})


@pytest.fixture(scope="module")
def racks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Description]:
    path = tmp_path_factory.mktemp("floor") / "fleet.json"
    described = describe(2, series=SERIES)
    path.touch(0o600)
    path.write_text(description.dump(described))
    return compile_bring_up(region_of(2), read_supplier(path)[0], None), described


def test_the_chain_of_a_rack_is_its_shelves_then_switches_then_dpus_then_trays(racks: tuple[Plan, Description]) -> None:
    plan, described = racks
    flash = 5 + 600
    machines_s = flash + 90 + flash + 150 + 90 + 150 + 8
    assert floor(plan, scenario(), described).machines_s == pytest.approx(machines_s)
    assert floor(plan, scenario(), described).chain_s == pytest.approx(machines_s + 32)
    fast = floor(plan, scenario(time={"compression": 60}), described)
    assert fast.chain_s == pytest.approx(machines_s / 60 + 32), "answers are not compressed"


def test_a_budget_that_admits_little_makes_the_floor(racks: tuple[Plan, Description]) -> None:
    plan, described = racks
    narrow = replace(plan, limits={**plan.limits, "region": 1})
    found = floor(narrow, scenario(), described)
    # of each rack: 8 shelves and 36 DPUs restart, 9 switches and 18 trays are cycled, one after the other
    assert found.budgets_s["region"] == pytest.approx(2 * (44 * 90 + 27 * 150))
    assert found.seconds == found.budgets_s["region"]


def test_kinds_that_wait_for_each_other_take_their_sum(racks: tuple[Plan, Description]) -> None:
    plan, described = racks
    flash = 5 + 600
    shelf, switch, tray = flash + 90, flash + 150, flash + 150 + 8
    assert floor_by_kind(plan, scenario(), described) == pytest.approx(shelf + switch + tray)
    assert floor_by_kind(plan, scenario(time={"compression": 60}), described) == pytest.approx(
        (shelf + switch + tray) / 60
    )
