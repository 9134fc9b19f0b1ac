"""Chance that can be repeated: the same seed gives the same run, whoever is asked first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from components.spec import load
from lab.fleet import description, scenario
from lab.fleet.behaviour import Behaviours, Mishap
from lab.fleet.chance import Lognormal, draw
from lab.fleet.describe import describe, received
from lab.fleet.errors import FleetError
from lab.fleet.kinds import Kind
from lab.fleet.scenario import Scenario
from tests.fleet_world import TRAY, Client, fleet, move
from tests.regions import REGIONS, ROOT

FAULTS: list[dict[str, Any]] = [
    {"fault": "slow", "share": 0.1, "factor": 10},
    {"fault": "flapping", "share": 0.1, "up_requests": 5, "down_requests": 2},
    {"fault": "errors", "share": 0.1, "rate": 0.3},
    {"fault": "dropped", "share": 0.1, "rate": 0.3},
    {"fault": "answer_lost", "share": 0.1, "rate": 0.3},
]


def decisions(seed: int, order: int = 1) -> dict[str, list[Any]]:
    there = describe(2)
    behaviours = Behaviours(Scenario.model_validate({"seed": seed, "faults": FAULTS}), there)
    names = [(f"{rack}/{place}", e.kind) for rack, of in there.items() for place, e in of.items()][::order]
    return {name: [behaviours.of(name, kind).decide(name, n) for n in range(1, 40)] for name, kind in names}


def test_the_same_seed_gives_the_same_fate_to_every_request_in_any_order_of_endpoints() -> None:
    assert decisions(7) == decisions(7, order=-1)
    assert decisions(7) != decisions(8)


def test_the_same_seed_and_requests_give_the_same_run() -> None:
    def run() -> Any:
        f = fleet(racks=1, seed=5, faults=[{"fault": "stuck_task", "share": 0.5}])
        answers: list[Any] = []
        for name in list(f.endpoints)[::7]:
            client = Client(f, name)
            answers.append(client.push({0x10: "2", 0x210: "2", 0x310: "2", 0x410: "2"}))
            for _ in range(4):
                move(f, 300)
                answers.append(client.get("/redfish/v1/TaskService/Tasks/1"))
        return answers, f.ledger(), list(f.entries())

    assert run() == run()


def test_times_have_the_median_and_the_percentile_that_were_asked_for() -> None:
    spread = Lognormal(0.1, 2.0)
    times = sorted(spread.at(draw(3, "t", n)) for n in range(4000))
    assert times[2000] == pytest.approx(0.1, rel=0.1)
    assert times[3960] == pytest.approx(2.0, rel=0.3)


def test_a_fault_hits_exactly_its_share_of_the_kinds_named() -> None:
    there = describe(10)
    fault = {"fault": "dead", "share": 0.05, "of": ["compute_tray"]}
    behaviours = Behaviours(Scenario.model_validate({"faults": [fault]}), there)
    dead = [
        (r, p) for r, of in there.items() for p, e in of.items() if behaviours.of(f"{r}/{p}", e.kind).dead_after == 0
    ]
    assert len(dead) == 9  # of 180 trays
    assert {there[r][p].kind for r, p in dead} == {Kind.COMPUTE_TRAY}


def test_a_flapping_endpoint_answers_some_requests_and_then_none_for_some() -> None:
    fault = {"fault": "flapping", "endpoints": [TRAY], "up_requests": 3, "down_requests": 2}
    f = fleet(faults=[fault])
    fates = [f.arrive(f.endpoints[TRAY]).mishap for _ in range(10)]
    assert fates == ([None] * 3 + [Mishap.REFUSED] * 2) * 2


def test_all_faults_of_a_scenario_come_in_one_error(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text(
        "seed: one\n"
        "kinds: {toaster: {}, dpu: {latency_s: {p50: 2, p99: 1}}}\n"
        "faults: [{fault: slow, share: 0.1}, {fault: nonsense}, {fault: dead}]\n"
        "surprise: 1\n"
    )
    with pytest.raises(FleetError) as refused:
        scenario.load(file)
    text = str(refused.value)
    for place in (
        "seed",
        "kinds.toaster",
        "kinds.dpu.latency_s",
        "faults[0].slow.factor",
        "faults[1]",
        "faults[2]",
        "surprise",
    ):
        assert place in text, place


def test_the_scenario_of_the_guide_fits_a_described_rack(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "guides" / "fleet.md").read_text()
    file = tmp_path / "scenario.yaml"
    file.write_text(guide.partition("```yaml\n")[2].partition("```")[0])
    found = scenario.load(file)
    every = TypeAdapter(scenario.Fault).json_schema()["discriminator"]["mapping"]
    assert {fault.fault for fault in found.faults} == set(every)
    Behaviours(found, describe(1))


def test_a_scenario_that_names_strangers_is_refused() -> None:
    faults = [{"fault": "dead", "endpoints": ["sim-r009/1"]}]
    losses = [{"rack": "x", "at_s": 1, "for_s": 1}]
    with pytest.raises(FleetError) as refused:
        fleet(faults=faults, rack_power_losses=losses)
    assert "sim-r009/1" in str(refused.value)
    assert "rack_power_losses[0]" in str(refused.value)


def test_a_description_is_a_list_of_received_hardware_with_the_other_endpoints_beside(tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"
    file.write_text(description.dump(describe(2, series="ess-r")))
    found = json.loads(file.read_text())
    assert list(found) == ["ess-r001", "ess-r002"]
    assert {"serial", "macs", "bmc_mac", "bmc_address"} <= set(found["ess-r001"]["18"])
    assert len(found["ess-r001"]) == 18 + 36 + 9 + 8
    assert description.load(file) == describe(2, series="ess-r")


def test_a_region_takes_the_trays_of_a_described_fleet_as_received(tmp_path: Path) -> None:
    file = tmp_path / ".region" / "essonne" / "received.json"
    file.parent.mkdir(parents=True)
    there = describe(250, series="ess-r")
    file.write_text(received(there))
    region = load(REGIONS / "essonne", REGIONS / "_catalogue", project=tmp_path)
    tray = region.racks[0].trays[0]
    entry = there["ess-r001"]["1"]
    assert (tray.serial, tuple(tray.macs), tray.bmc_mac) == (entry.serial, entry.macs, entry.bmc_mac)
    assert "password" not in file.read_text()


def test_250_racks_have_17750_endpoints_and_no_serial_mac_or_address_twice() -> None:
    every = [e for there in describe(250).values() for e in there.values()]
    assert len(every) == 17_750
    for field in ("serial", "bmc_mac", "bmc_address"):
        assert len({getattr(e, field) for e in every}) == 17_750


def test_a_description_with_faults_is_refused_with_all_of_them_and_no_password(tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"
    there = json.loads(description.dump(describe(1)))
    there["sim-r001"]["1"]["bmc_password"] = ["hidden"]
    there["sim-r001"]["2"]["bmc_mac"] = "no mac"
    file.write_text(json.dumps(there))
    with pytest.raises(FleetError) as refused:
        description.load(file)
    assert "sim-r001.1.bmc_password" in str(refused.value)
    assert "sim-r001.2.bmc_mac" in str(refused.value)
    assert "hidden" not in str(refused.value)
