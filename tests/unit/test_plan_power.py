"""The tree of power, the order of switching on, and what it costs."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import RegionPlan, compile_region
from components.plan.exports.eu_report import eu_report
from components.plan.pending import pending_index
from components.plan.power import PowerPlan, compile_power
from components.spec import Region, load
from components.spec.switch_racks import SWITCH_RACK_U
from tests.regions import REGIONS, ROOT

NAMES = sorted(path.name for path in REGIONS.iterdir() if path.is_dir() and not path.name.startswith("_"))


@cache
def sweden() -> Region:
    """Described, not compiled."""
    return load(REGIONS / "sweden", REGIONS / "_catalogue", project=ROOT)


@cache
def plan(name: str) -> RegionPlan:
    """A real region, compiled before anything is published."""
    region = load(REGIONS / name, REGIONS / "_catalogue", project=ROOT)
    return compile_region(region, pending_index(region))


def power(name: str) -> PowerPlan:
    """Its plan of power."""
    return plan(name).power


ESSONNE_SWITCHES = 2080 * 1.72 + 232 * 2.17 + 86 * 0.15
"""kW: InfiniBand; Ethernet of 32 units x 4 planes, 96 spines and 8 borders; 12 + 2 + 72 of management."""


def test_essonne_holds_250_capped_racks_and_their_switches_in_40_megawatts() -> None:
    essonne = power("essonne")
    assert essonne.gpus == 18000
    assert essonne.switches_kw == pytest.approx(ESSONNE_SWITCHES)
    assert essonne.it_kw == pytest.approx(250 * 116 + 3 * 0.95 + ESSONNE_SWITCHES)
    assert essonne.facility_kw == pytest.approx(39716.148)
    assert essonne.kw_per_gpu == pytest.approx(2.206, abs=0.001)
    assert essonne.surviving_kw == 3 * 13400
    assert essonne.headroom_kw == pytest.approx(283.852)
    assert essonne.eur_per_hour == pytest.approx(39.716148 * 75, abs=0.01)
    assert essonne.eur_per_year == pytest.approx(39.716148 * 75 * 8760, abs=1)


def test_a_cap_is_held_by_the_power_limits_of_the_gpus() -> None:
    (cap,) = power("essonne").caps
    assert (cap.profile, cap.racks, cap.planned_kw, cap.cap_kw) == ("gb200-nvl72", 250, 132, 116)
    assert (cap.gpus, cap.gpu_watts, cap.gpu_limit_watts) == (72, 1200, 977)
    held = cap.planned_kw - cap.gpus * (cap.gpu_watts - cap.gpu_limit_watts) / 1000
    assert cap.cap_kw - 0.072 < held <= cap.cap_kw
    assert power("essonne-as-built").caps == ()


def test_rows_and_tap_offs_know_nothing_of_caps() -> None:
    row = next(row for row in power("essonne").rows if row.name == "a-1")
    assert row.draw.held_kw < row.draw.planned_kw
    assert row.draw.planned_kw == pytest.approx(16 * 132 + 2 * (56 * 1.72 + 4 * 2.17 + 2 * 0.15))
    assert row.draw.planned_kw <= row.budget_kw


def test_essonne_as_built_is_27_megawatts_of_racks() -> None:
    built = power("essonne-as-built")
    assert built.gpus == 13824
    assert built.it_kw - built.switches_kw == pytest.approx(192 * 142 + 3 * 0.95)
    assert plan("essonne-as-built").topology.islands == (1, 2)


def test_sweden_counts_the_upper_end_of_what_is_not_settled() -> None:
    assert power("sweden").planning == "nameplate"
    assert power("sweden").it_kw - power("sweden").switches_kw == pytest.approx(80 * 230 + 3 * 0.95)


@pytest.mark.parametrize("name", NAMES)
def test_every_level_carries_what_hangs_below_it(name: str) -> None:
    region = power(name)
    by = region.planning
    assert region.facility_kw <= min(region.site_kw, region.surviving_kw)
    assert sum(feed.draw.held(by) for feed in region.feeds) == pytest.approx(region.it_kw)
    for feed in region.feeds:
        assert feed.facility_kw <= feed.budget_kw
        assert sum(row.draw.held(by) for row in feed.rows) == pytest.approx(feed.draw.held(by))
        for row in feed.rows:
            assert row.draw.by(by) <= row.budget_kw
            beside = sum(rack.draw.by(by) for rack in row.switch_racks)
            assert sum(rack.draw.by(by) for rack in row.racks) + beside == pytest.approx(row.draw.by(by))
            for rack in (*row.racks, *row.switch_racks):
                assert rack.draw.nameplate_kw <= rack.tap_kw
            for rack in row.racks:
                assert rack.supply is None or rack.supply.left_kw >= rack.draw.nameplate_kw


@pytest.mark.parametrize("name", NAMES)
def test_every_switch_of_a_region_of_real_hardware_stands_in_one_rack(name: str) -> None:
    region = plan(name)
    standing: Counter[str] = Counter()
    for row in region.power.rows:
        for rack in row.switch_racks:
            standing.update(dict(rack.switches))
            assert rack.units_u <= SWITCH_RACK_U
    planned = Counter(switch.model for switch in region.fabric.switches)
    planned.update(switch.model for switch in region.networks.oob.switches if switch.rack is None)
    if region.networks.compute:
        planned[region.networks.compute.model] += len(region.networks.compute.switches)
    assert standing == (planned if name != "lab" else Counter())


@pytest.mark.parametrize("name", NAMES)
def test_every_rack_is_switched_on_once_control_planes_first(name: str) -> None:
    region, racks = power(name), {rack.name: rack for rack in plan(name).racks}
    of_switches = [rack.rack for row in region.rows for rack in row.switch_racks]
    switched = [rack for step in region.steps for rack in step.racks]
    assert sorted(switched) == sorted([*racks, *of_switches])
    first = {host.role.value for rack in region.steps[0].racks if rack in racks for host in racks[rack].hosts}
    assert "control_plane" in first
    assert region.steps[-1].running_kw == pytest.approx(region.it_kw)
    ends = [step.start_s + step.duration_s for step in region.steps]
    assert [step.start_s for step in region.steps] == [0, *ends[:-1]]
    assert region.energise_s == ends[-1]


def test_no_step_of_essonne_adds_more_than_a_scalable_unit_with_its_switches() -> None:
    steps = power("essonne").steps
    assert max(step.inrush_kw for step in steps) == pytest.approx(8 * 150 + 56 * 1.72 + 4 * 2.17 + 2 * 0.15)
    assert len(steps) == 1 + 32
    assert steps[1].what == "unit 1"
    assert steps[1].racks[0] == "essonne-net-u01-1", "switches before the machines that need them"


def test_servers_draw_by_the_tray() -> None:
    racks = {rack.rack: rack for row in power("paris").rows for rack in row.racks}
    assert racks["par-h001"].draw.planned_kw == pytest.approx(2 * 10.2 + 0.15)
    assert racks["par-l003"].draw.planned_kw == pytest.approx(4 * 1.0 + 0.15)


def test_what_is_no_part_of_a_description_is_named() -> None:
    assert power("essonne").not_counted == ("storage, which is no part of a description",)
    assert power("lab").not_counted == ()


def test_the_report_to_the_european_database_tells_what_is_known_from_what_is_measured() -> None:
    ((path, text),) = eu_report(plan("essonne"))
    assert path == "essonne-eu-2024-1364.json"
    report = json.loads(text)
    known = {each["field"]: each["value"] for each in report["known"]}
    assert report["is_due"] is True
    assert known["PD_IT"] == pytest.approx(250 * 150 + 3 * 0.95 + ESSONNE_SWITCHES)
    assert known["PUE-design"] == 1.2
    assert known["electrical_redundancy"] == "N+1"
    assert known["rack_positions"] == 256
    assert known["servers"] == {"control-server": 3, "gb200-nvl72": 4500}
    missing = {each["field"] for kind in ("measured", "stated") for each in report[kind]}
    assert {"E_DC", "E_IT", "PUE", "T_IN", "T_WH", "W_IN", "S_CR", "refrigerants"} <= missing
    assert not missing & known.keys()


def test_a_small_region_and_one_outside_the_union_owe_no_report() -> None:
    for name in ("paris", "singapore"):
        ((_, text),) = eu_report(plan(name))
        assert json.loads(text)["is_due"] is False


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 82), min_size=1))
def test_a_rack_that_comes_or_goes_moves_no_other(kept: set[int]) -> None:
    """Whatever racks there are, each hangs where it hung, is switched on once, and no step grows too large."""
    region = sweden()
    some = compile_power(region.model_copy(update={"racks": tuple(region.racks[n] for n in sorted(kept))}))
    assert _hanging(some).items() <= _hanging(power("sweden")).items()
    of_switches = [rack.rack for row in some.rows for rack in row.switch_racks]
    switched = [rack for step in some.steps for rack in step.racks]
    assert sorted(switched) == sorted([*_hanging(some), *of_switches])
    assert all(step.inrush_kw <= region.power.step_kw for step in some.steps)
    assert some.steps[-1].running_kw == pytest.approx(some.it_kw)


def _hanging(plan: PowerPlan) -> dict[str, tuple[str, str, int, int]]:
    """Rack -> feed, hall, row and position."""
    return {
        rack.rack: (feed.feed, row.hall, row.row, rack.position)
        for feed in plan.feeds
        for row in feed.rows
        for rack in row.racks
    }
