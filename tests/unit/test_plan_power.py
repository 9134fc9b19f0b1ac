"""The tree of power, the order of switching on, and what it costs."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import RegionPlan, compile_region
from components.plan.exports.eu_report import eu_report
from components.plan.pending import pending_index
from components.plan.power import PowerPlan, compile_power
from components.spec import Region, load
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


def test_essonne_holds_250_racks_in_40_megawatts() -> None:
    essonne = power("essonne")
    assert essonne.gpus == 18000
    assert essonne.it_kw == 250 * 132 + 3 * 0.8
    assert essonne.facility_kw == pytest.approx(39602.88)
    assert essonne.kw_per_gpu == pytest.approx(2.2, abs=0.01)
    assert essonne.surviving_kw == 3 * 13400
    assert essonne.headroom_kw == pytest.approx(397.12)
    assert essonne.eur_per_hour == pytest.approx(39.60288 * 75, abs=0.01)
    assert essonne.eur_per_year == pytest.approx(39.60288 * 75 * 8760, abs=1)


def test_essonne_as_built_is_27_megawatts_of_racks() -> None:
    built = power("essonne-as-built")
    assert built.gpus == 13824
    assert built.it_kw == pytest.approx(192 * 142 + 2.4)
    assert plan("essonne-as-built").topology.islands == (1, 2)


def test_sweden_counts_the_upper_end_of_what_is_not_settled() -> None:
    assert power("sweden").planning == "nameplate"
    assert power("sweden").it_kw == pytest.approx(80 * 230 + 2.4)


@pytest.mark.parametrize("name", NAMES)
def test_every_level_carries_what_hangs_below_it(name: str) -> None:
    region = power(name)
    by = "nameplate_kw" if region.planning == "nameplate" else "planned_kw"
    assert region.facility_kw <= min(region.site_kw, region.surviving_kw)
    assert sum(getattr(feed.draw, by) for feed in region.feeds) == pytest.approx(region.it_kw)
    for feed in region.feeds:
        assert feed.facility_kw <= feed.budget_kw
        assert sum(getattr(row.draw, by) for row in feed.rows) == pytest.approx(getattr(feed.draw, by))
        for row in feed.rows:
            assert getattr(row.draw, by) <= row.budget_kw
            assert sum(getattr(rack.draw, by) for rack in row.racks) == pytest.approx(getattr(row.draw, by))
            for rack in row.racks:
                assert rack.draw.nameplate_kw <= rack.tap_kw
                assert rack.supply is None or rack.supply.left_kw >= rack.draw.nameplate_kw


@pytest.mark.parametrize("name", NAMES)
def test_every_rack_is_switched_on_once_control_planes_first(name: str) -> None:
    region, racks = power(name), {rack.name: rack for rack in plan(name).racks}
    switched = [rack for step in region.steps for rack in step.racks]
    assert sorted(switched) == sorted(racks)
    first = {host.role.value for rack in region.steps[0].racks for host in racks[rack].hosts}
    assert "control_plane" in first
    assert region.steps[-1].running_kw == pytest.approx(region.it_kw)
    ends = [step.start_s + step.duration_s for step in region.steps]
    assert [step.start_s for step in region.steps] == [0, *ends[:-1]]
    assert region.energise_s == ends[-1]


def test_no_step_of_essonne_adds_more_than_a_scalable_unit() -> None:
    steps = power("essonne").steps
    assert max(step.inrush_kw for step in steps) == 1200
    assert len(steps) == 1 + 32
    assert steps[1].what == "unit 1"


def test_servers_draw_by_the_tray() -> None:
    racks = {rack.rack: rack for row in power("paris").rows for rack in row.racks}
    assert racks["par-h001"].draw.planned_kw == pytest.approx(2 * 10.2)
    assert racks["par-l003"].draw.planned_kw == pytest.approx(4 * 1.0)


def test_what_has_no_figure_is_named() -> None:
    assert "in-band switches sn5600: draw not in the catalogue" in power("essonne").not_counted
    assert power("lab").not_counted == ()


def test_the_report_to_the_european_database_tells_what_is_known_from_what_is_measured() -> None:
    ((path, text),) = eu_report(plan("essonne"))
    assert path == "essonne-eu-2024-1364.json"
    report = json.loads(text)
    known = {each["field"]: each["value"] for each in report["known"]}
    assert report["is_due"] is True
    assert known["PD_IT"] == pytest.approx(250 * 150 + 3 * 0.8)
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
    switched = [rack for step in some.steps for rack in step.racks]
    assert sorted(switched) == sorted(_hanging(some))
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
