"""From a region and the supplier's list to the work list; what does not fit is told at once, all of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.clients.bmc.supplier import read_supplier
from components.errors import SpecError
from components.plan.bring_up.compile import Delivered, compile_bring_up
from components.spec.catalogue.firmware import Endpoint
from components.spec.rack import Tray
from lab.fleet import description
from lab.fleet.describe import describe
from tests.bring_up_world import region_of
from tests.regions import lab

RACK = "ess-r001"


@pytest.fixture
def delivered(tmp_path: Path) -> dict[str, dict[str, Delivered]]:
    path = tmp_path / "fleet.json"
    path.touch(0o600)
    path.write_text(description.dump(describe(2, series="ess-r")))
    return {rack: dict(there) for rack, there in read_supplier(path)[0].items()}


def test_a_rack_is_71_endpoints_with_its_feed_and_spares(delivered: dict[str, dict[str, Delivered]]) -> None:
    plan = compile_bring_up(region_of(2), delivered)
    assert [len(rack.endpoints) for rack in plan.racks] == [71, 71]
    first = plan.racks[0]
    assert (first.name, first.feed, first.spares, first.tray_kw) == (RACK, "feed-a", 2, 8.333)
    assert plan.limits == {"rack": 36, "nvlink": 18, "region": 6000, "feed": 1320}
    (tray,) = [e for e in first.endpoints if e.name == f"{RACK}/3"]
    assert (tray.kind, tray.tray, tray.address) == (Endpoint.COMPUTE_TRAY, "3", "https://127.64.1.3:8443")
    (dpu,) = [e for e in first.endpoints if e.name == f"{RACK}/3/left-bf3"]
    assert (dpu.kind, dpu.tray) == (Endpoint.DPU, "3")
    assert {e.tray for e in first.endpoints if e.kind is Endpoint.NVLINK_SWITCH} == {""}


def test_what_others_wait_for_has_the_lower_turn(delivered: dict[str, dict[str, Delivered]]) -> None:
    rack = compile_bring_up(region_of(2), delivered).racks[0]
    assert {endpoint.kind: endpoint.turn for endpoint in rack.endpoints} == {
        Endpoint.POWER_SHELF: 0,
        Endpoint.NVLINK_SWITCH: 1,
        Endpoint.DPU: 2,
        Endpoint.COMPUTE_TRAY: 3,
    }


def test_only_the_racks_that_are_named_are_worked_on(delivered: dict[str, dict[str, Delivered]]) -> None:
    plan = compile_bring_up(region_of(2), delivered, ["ess-r002"])
    assert [rack.name for rack in plan.racks] == ["ess-r002"]


def test_lists_that_do_not_fit_are_told_whole(delivered: dict[str, dict[str, Delivered]]) -> None:
    region, there = region_of(2), delivered[RACK]
    trays = [t.model_copy(update={"serial": "OTHER"}) if t.slot == 3 else t for t in region.racks[0].trays]
    assert all(isinstance(t, Tray) for t in trays)
    first = region.racks[0].model_copy(update={"trays": tuple(trays)})
    region = region.model_copy(update={"racks": (first, region.racks[1])})
    del there["nvlink/2"]
    there["4"] = replace(there["4"], kind=Endpoint.DPU)
    there["6"] = replace(there["6"], serial=there["7"].serial)
    there["power-shelf/1"] = replace(there["power-shelf/1"], host=there["power-shelf/2"].host)
    with pytest.raises(SpecError, match="nothing has been touched") as caught:
        compile_bring_up(region, delivered)
    told = {(p.path.removeprefix(f"{RACK}/"), p.message) for p in caught.value.problems}
    assert told == {
        ("3", "the two lists name different serial numbers"),
        ("4", "another kind of endpoint is listed here"),
        ("nvlink/2", "the supplier's list has nothing at this place"),
        ("6", "another endpoint has the same serial number"),
        ("7", "another endpoint has the same serial number"),
        ("power-shelf/1", "another endpoint has the same address"),
        ("power-shelf/2", "another endpoint has the same address"),
    }


def test_a_rack_that_the_region_lacks_is_refused(delivered: dict[str, dict[str, Delivered]]) -> None:
    with pytest.raises(SpecError, match="ess-r009: the region has no rack of this name"):
        compile_bring_up(region_of(2), delivered, ["ess-r009"])


def test_a_region_without_a_bring_up_is_told_so() -> None:
    with pytest.raises(SpecError, match="no rack of this region has a bring-up"):
        compile_bring_up(lab(), {})
