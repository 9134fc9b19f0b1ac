"""Firmware of simulated machines: packages, tasks, activation."""

from __future__ import annotations

import pytest

from lab.fleet.package import Image, PackageError, read, write
from tests.fleet_world import DPU, Client, fleet, move

INVENTORY = "/redfish/v1/UpdateService/FirmwareInventory"
TASK = "/redfish/v1/TaskService/Tasks/1"
BMC_RESET = "/redfish/v1/Managers/BMC_0/Actions/Manager.Reset"
AUX = "/redfish/v1/Chassis/BMC_0/Actions/Oem/NvidiaChassis.AuxPowerReset"


def test_a_package_is_read_as_it_was_written_and_a_damaged_one_is_refused() -> None:
    data = write({0x10: "25.08-9", 0x110: "GB200Nvl-25.08-B"})
    assert read(data) == [Image(0x10, "25.08-9"), Image(0x110, "GB200Nvl-25.08-B")]
    for wrong in (b"", b"#!/bin/sh", data[:60], data[:-1], data[:40] + b"\xff" + data[41:]):
        with pytest.raises(PackageError):
            read(wrong)


def test_a_task_is_pending_then_running_then_done_and_its_version_runs_after_activation() -> None:
    f = fleet()
    client = Client(f)
    status, task, headers = client.push({0x10: "25.08-9"})
    assert (status, task["TaskState"]) == (202, "Pending")
    seen: list[str] = []
    for _ in range(200):
        task = client.get(TASK)
        if task["TaskState"] not in seen:
            seen.append(task["TaskState"])
            assert client.ask("GET", headers["Location"])[0] == (200 if seen[-1] == "Completed" else 202)
        move(f, 15)
    assert seen == ["Pending", "Running", "Completed"]
    assert task["PercentComplete"] == 100
    assert client.get(f"{INVENTORY}/FW_BMC_0")["Version"] != "25.08-9"
    client.post(BMC_RESET, {"ResetType": "GracefulRestart"})
    move(f, 1000)
    assert client.get(f"{INVENTORY}/FW_BMC_0")["Version"] != "25.08-9"  # a tray's needs more than that
    client.post(AUX, {"ResetType": "AuxPowerCycle"})
    move(f, 1000)
    assert client.get(f"{INVENTORY}/FW_BMC_0")["Version"] == "25.08-9"
    assert client.get("/redfish/v1/Managers/BMC_0")["FirmwareVersion"] == "25.08-9"
    assert client.ledger["flash"] == 1


def test_a_stuck_task_stands_still_until_the_bmc_is_reset_and_the_next_one_ends() -> None:
    f = fleet(faults=[{"fault": "stuck_task", "share": 1, "percent": 40}])
    client = Client(f)
    client.push({0x10: "25.08-9"})
    move(f, 1e6)
    assert (client.get(TASK)["TaskState"], client.get(TASK)["PercentComplete"]) == ("Running", 40)
    assert client.push({0x10: "25.08-9"})[0] == 503
    client.post(BMC_RESET, {"ResetType": "ForceRestart"})
    move(f, 1000)
    assert client.get(TASK)["TaskState"] == "Exception"
    assert client.push({0x10: "25.08-9"})[0] == 202
    move(f, 1e5)
    assert client.get("/redfish/v1/TaskService/Tasks/2")["TaskState"] == "Completed"
    assert client.ledger["flash"] == 2


def test_a_task_that_fails_leaves_the_old_version() -> None:
    f = fleet(faults=[{"fault": "failed_task", "share": 1}])
    client = Client(f)
    client.push({0x10: "25.08-9"})
    move(f, 1e5)
    assert client.get(TASK)["TaskState"] == "Exception"
    client.post(AUX, {"ResetType": "AuxPowerCycle"})
    move(f, 1000)
    assert client.get(f"{INVENTORY}/FW_BMC_0")["Version"] != "25.08-9"


def test_a_loss_of_power_ends_a_running_task_without_effect() -> None:
    f = fleet(rack_power_losses=[{"rack": "sim-r001", "at_s": 60, "for_s": 10}])
    client = Client(f)
    client.push({0x10: "25.08-9"})
    move(f, 1e5)
    assert client.get(TASK)["TaskState"] == "Exception"
    assert client.get(f"{INVENTORY}/FW_BMC_0")["Version"] != "25.08-9"


def test_a_push_is_limited_to_its_targets_and_a_foreign_package_is_refused() -> None:
    f = fleet()
    client = Client(f)
    both = {0x10: "25.08-9", 0x50: "02.05"}
    assert client.push(both, [f"{INVENTORY}/NoSuchThing"])[0] == 400
    assert client.push({0x210: "of a DPU"})[0] == 400
    assert client.push(both, [f"{INVENTORY}/UEFI"])[0] == 202
    assert [e.detail for e in f.entries()] == ["UEFI 02.05"]


def test_firmware_of_a_dpu_runs_after_its_bmc_or_its_host_was_reset() -> None:
    f = fleet()
    client = Client(f, DPU)
    client.push({0x210: "BF-25.04", 0x230: "4.11"})
    move(f, 1e5)
    client.post("/redfish/v1/Managers/Bluefield_BMC/Actions/Manager.Reset", {"ResetType": "ForceRestart"})
    move(f, 1000)
    assert client.get(f"{INVENTORY}/BMC_Firmware")["Version"] == "BF-25.04"
    assert client.get(f"{INVENTORY}/DPU_UEFI")["Version"] != "4.11"
    client.reset("ForceRestart", "Bluefield")
    assert client.get(f"{INVENTORY}/DPU_UEFI")["Version"] == "4.11"
