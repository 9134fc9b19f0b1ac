"""What a bring-up of real machines says before it asks, and what `--fleet` may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.clients.bmc.supplier import read_supplier
from components.errors import SpecError
from components.plan.bring_up.compile import Plan, compile_bring_up
from lab.fleet import description
from lab.fleet.describe import describe
from stacks.cli.arguments import DeliveredFleet, SimulatedFleet, fleet_of
from stacks.cli.bring_up_preview import foretold
from tests.bring_up_world import region_of


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "fleet.json"
    path.touch(0o600)
    path.write_text(description.dump(describe(2, series="ess-r")))
    return compile_bring_up(region_of(2), read_supplier(path)[0])


def test_passwords_firmware_and_resets_are_foretold_with_their_numbers(plan: Plan) -> None:
    text = "\n".join(foretold(plan, ()))
    assert "2 racks, 142 endpoints" in text
    assert "the factory's opens none of the 142 any more" in text
    assert "72 DPUs: BMC_Firmware BF-25.07, Bluefield_FW_ERoT 00.02.0195.0000_n00" in text
    assert "at most 36 at a time in a rack, 18 in an NVLink domain, 6000 in the region, 1,320 kW on a feed" in text


def test_racks_in_service_are_not_counted_among_what_is_changed(plan: Plan) -> None:
    text = "\n".join(foretold(plan, {"ess-r001"}))
    assert "1 rack handed over before" in text
    assert "1 rack, 71 endpoints" in text
    assert "36 DPUs" in text


def test_where_all_is_in_service_nothing_is_threatened(plan: Plan) -> None:
    (line,) = foretold(plan, {"ess-r001", "ess-r002"})
    assert line.startswith("2 racks handed over before")


def test_a_fleet_is_simulated_or_delivered(tmp_path: Path) -> None:
    (tmp_path / "calm.yaml").touch()
    assert fleet_of(f"sim:{tmp_path}/calm.yaml") == SimulatedFleet(tmp_path / "calm.yaml")
    assert fleet_of(f"delivered:{tmp_path}") == DeliveredFleet(tmp_path)


@pytest.mark.parametrize("text", ["", "sim:", "sim:none.yaml", "delivered:none", "essonne", "real:/tmp"])
def test_another_fleet_is_refused_with_both_forms(text: str) -> None:
    with pytest.raises(SpecError) as refused:
        fleet_of(text)
    (problem,) = refused.value.problems
    assert problem.found == text
    assert "sim:SCENARIO.yaml" in (problem.allowed or "")
    assert "delivered:FOLDER" in (problem.allowed or "")
