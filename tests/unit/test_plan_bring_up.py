"""Decisions of bring-up: from what a BMC shows to what is to be done, with a case where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.plan.bring_up import firmware, settings
from components.plan.bring_up.cause import RUNBOOKS, Cause
from components.plan.bring_up.firmware import FlashState, TaskSeen, judge, next_look_s, read_task
from components.plan.bring_up.identity import mismatch
from components.plan.bring_up.nodes import node_file, node_record
from components.plan.bring_up.settings import SettingsSeen, not_in_effect, patch_for
from components.plan.bring_up.verdict import verdict
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue import load_catalogue
from components.spec.catalogue.bring_up import BringUp, EndpointProfile
from components.spec.catalogue.firmware import Endpoint
from tests.regions import REGIONS, ROOT

WANTED = {"BMC": "2", "UEFI": "2"}
OLD, NEW, MIXED = {"BMC": "1", "UEFI": "1"}, {"BMC": "2", "UEFI": "2"}, {"BMC": "2", "UEFI": "1"}


@pytest.fixture(scope="module")
def bring_up() -> BringUp:
    found = load_catalogue(REGIONS / "_catalogue", root=ROOT).bring_up("gb200-nvl72")
    assert found is not None
    return found


@pytest.fixture
def tray(bring_up: BringUp) -> EndpointProfile:
    return bring_up.kind(Endpoint.COMPUTE_TRAY)


def task(state: str, versions: Mapping[str, str] = WANTED) -> TaskSeen:
    return TaskSeen(path="/t/1", state=state, percent=40, versions=versions)


@pytest.mark.parametrize(
    ("inventory", "tasks", "state"),
    [
        (NEW, [], FlashState.RUNS),
        (NEW, [task("Exception")], FlashState.RUNS),
        (OLD, [], FlashState.ABSENT),
        (OLD, [task("Running")], FlashState.RUNNING),
        (OLD, [task("Running", {})], FlashState.RUNNING),
        (OLD, [task("Completed")], FlashState.WRITTEN),
        (OLD, [task("Exception")], FlashState.FAILED),
        (OLD, [task("Exception"), task("Completed")], FlashState.WRITTEN),
        (OLD, [task("Completed"), task("Exception")], FlashState.FAILED),
        (OLD, [task("Completed", {"BMC": "0", "UEFI": "0"})], FlashState.ABSENT),
        (OLD, [task("Completed", {"BMC": "2"})], FlashState.ABSENT),
        (MIXED, [task("Completed", {"UEFI": "2"})], FlashState.WRITTEN),
        (MIXED, [task("Completed")], FlashState.WRITTEN),
    ],
    ids=lambda v: str(v)[:40],
)
def test_a_push_is_judged_by_inventory_and_tasks(
    inventory: Mapping[str, str], tasks: list[TaskSeen], state: FlashState
) -> None:
    assert judge(WANTED, inventory, tasks).state is state


def test_a_message_of_a_task_names_component_and_version_in_either_order() -> None:
    messages = [{"MessageArgs": ["2", "BMC"]}, {"MessageArgs": ["UEFI", "2"]}, {"MessageArgs": ["something else"]}]
    shown = {"@odata.id": "/t/1", "TaskState": "Running", "Messages": messages}
    assert read_task(shown, WANTED).versions == WANTED


def test_a_task_is_looked_at_more_closely_as_its_end_comes_near() -> None:
    looks = [next_look_s(percent, 6.0 * percent, least_s=2, most_s=60) for percent in (10, 50, 90, 99)]
    assert looks == sorted(looks, reverse=True)
    assert (looks[0], looks[-1]) == (60, pytest.approx(4.2))
    assert next_look_s(0, 0.0, least_s=2, most_s=60) == 2, "the first look is soon"


def test_the_same_set_of_versions_has_the_same_digest_in_any_order() -> None:
    assert firmware.digest_of({"a": "1", "b": "2"}) == firmware.digest_of({"b": "2", "a": "1"})
    assert firmware.digest_of({"a": "1"}) != firmware.digest_of({"a": "2"})


# Settings


def seen(**changes: Any) -> SettingsSeen:
    """A tray as it is delivered."""
    bios = {"TPM": "Disabled", "EmbeddedUefiShell": "Enabled"}
    bios |= dict.fromkeys(("Socket0Pcie6DisableOptionROM", "Socket1Pcie6DisableOptionROM"), True)
    found: dict[str, Any] = {
        "bios": bios,
        "bios_pending": {},
        "secure_boot": True,
        "secure_boot_pending": True,
        "order": ("Boot0000", "Boot0020"),
        "order_pending": ("Boot0000", "Boot0020"),
        "options": {"Boot0000": "UEFI HTTPv4 (MAC:020001010101)", "Boot0020": "Ubuntu"},
    }
    return SettingsSeen(**(found | changes))


def test_a_tray_as_delivered_gets_what_it_lacks(tray: EndpointProfile) -> None:
    patch = patch_for(tray, seen())
    assert patch.bios == {s.attribute: s.value for s in tray.bios}
    assert (patch.secure_boot, patch.order) == (None, None)
    assert len(not_in_effect(tray, seen())) == 4


def test_what_waits_for_the_boot_is_not_set_again_and_does_not_count_yet(tray: EndpointProfile) -> None:
    wanted = {s.attribute: s.value for s in tray.bios}
    waiting = seen(bios_pending=wanted)
    assert patch_for(tray, waiting) == settings.SettingsPatch(bios={}, secure_boot=None, order=None)
    assert set(not_in_effect(tray, waiting)) == set(wanted)
    assert not not_in_effect(tray, seen(bios=wanted))


def test_secure_boot_and_the_boot_order_are_put_right(tray: EndpointProfile) -> None:
    wrong = seen(
        secure_boot=False,
        secure_boot_pending=False,
        order=("Boot0020", "Boot0000"),
        order_pending=("Boot0020", "Boot0000"),
    )
    patch = patch_for(tray, wrong)
    assert (patch.secure_boot, patch.order) == (True, ("Boot0000", "Boot0020"))
    assert {"SecureBoot", "BootOrder"} <= set(not_in_effect(tray, wrong))


# Identity and verdict


def endpoint(place: str, kind: Endpoint, serial: str = "T1") -> EndpointWork:
    macs = ("02:00:01:01:01:01", "02:00:01:01:01:02") if kind is Endpoint.COMPUTE_TRAY else ()
    address = "https://127.64.1.1:8443"
    return EndpointWork(name=f"r1/{place}", place=place, kind=kind, serial=serial, address=address, macs=macs)


def test_the_delivered_machine_in_its_slot_fits() -> None:
    work = endpoint("3", Endpoint.COMPUTE_TRAY)
    assert mismatch(work, serial="t1 ", tray_index=2, detectors=[{"Id": "1", "DetectorState": "OK"}]) is None


@pytest.mark.parametrize(
    ("cause", "found"),
    [
        (Cause.SERIAL_MISMATCH, {"serial": "T2"}),
        (Cause.SLOT_MISMATCH, {"serial": "T1", "tray_index": 3}),
        (Cause.LEAK, {"serial": "T1", "detectors": [{"Id": "LeakDetector_0", "DetectorState": "Critical"}]}),
    ],
)
def test_a_machine_that_does_not_fit_is_told_by_its_cause(cause: Cause, found: Mapping[str, Any]) -> None:
    wrong = mismatch(endpoint("3", Endpoint.COMPUTE_TRAY), **found)
    assert wrong is not None
    assert wrong[0] is cause


def rack() -> RackWork:
    trays = [endpoint(str(n), Endpoint.COMPUTE_TRAY) for n in range(1, 19)]
    dpus = [endpoint(f"{n}/{side}-bf3", Endpoint.DPU) for n in range(1, 19) for side in ("left", "right")]
    switches = [endpoint(f"nvlink/{n}", Endpoint.NVLINK_SWITCH) for n in range(1, 10)]
    shelves = [endpoint(f"power-shelf/{n}", Endpoint.POWER_SHELF) for n in range(1, 9)]
    return RackWork(name="r1", feed="a", tray_kw=8, spares=2, endpoints=(*trays, *dpus, *switches, *shelves))


@pytest.mark.parametrize(
    ("isolated", "trays", "reason"),
    [
        ((), 18, ""),
        (("r1/1", "r1/2"), 16, "16 of 18 trays"),
        (("r1/1", "r1/2", "r1/3"), 0, "15 of 18 trays usable, 16 are needed"),
        (("r1/1/left-bf3",), 17, "17 of 18 trays"),
        (("r1/1/left-bf3", "r1/1/right-bf3", "r1/1", "r1/2"), 16, "16 of 18 trays"),
        (("r1/power-shelf/1",), 18, "without 1 of its power shelves"),
        (("r1/power-shelf/1", "r1/power-shelf/2"), 0, "2 of its power shelves isolated, it can do without 1"),
        (("r1/nvlink/1",), 0, "1 of its NVLink switch trays isolated, it can do without 0"),
    ],
)
def test_a_rack_is_handed_over_whole_or_short_of_its_spares_or_not_at_all(
    bring_up: BringUp, isolated: tuple[str, ...], trays: int, reason: str
) -> None:
    found = verdict(rack(), bring_up, frozenset(isolated))
    assert (len(found.trays), found.reason) == (trays, reason)
    assert found.is_isolated == (trays == 0)


def test_a_tray_whose_dpu_is_isolated_is_not_handed_over_and_says_so(bring_up: BringUp) -> None:
    found = verdict(rack(), bring_up, frozenset({"r1/7/right-bf3"}))
    assert found.depends == {"r1/7": "r1/7/right-bf3 isolated"}
    assert "r1/7" not in {tray.name for tray in found.trays}


def test_a_record_for_ironic_holds_a_reference_and_no_password(tray: EndpointProfile) -> None:
    work = endpoint("3", Endpoint.COMPUTE_TRAY)
    record = node_record("ess-r001", work, tray, password="file:p.json#r1/3", ca="ca.crt")
    file = node_file([record], {record["name"]: work.macs})
    (node,) = file["nodes"]
    assert node["name"] == "ess-r001-t03"
    assert node["driver_info"]["redfish_password"] == "file:p.json#r1/3"
    assert [p["address"] for p in node["ports"]] == list(work.macs)


def test_every_cause_has_a_runbook_that_is_there() -> None:
    assert set(RUNBOOKS) == set(Cause)
    assert all((ROOT / path).is_file() for path in RUNBOOKS.values())
