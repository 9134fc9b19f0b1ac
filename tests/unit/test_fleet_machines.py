"""What simulated machines do: power, boot, BIOS settings, loss of power; and what the ledger says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.fleet.behaviour import Mishap
from lab.fleet.errors import FleetError
from lab.fleet.fleet import Fleet
from tests.fleet_world import DPU, SHELF, SWITCH, SYSTEM, TRAY, Client, Hands, fleet, move

BIOS = f"{SYSTEM}/Bios"


def test_a_host_takes_its_time_to_come_up_and_to_go_down() -> None:
    f = fleet()
    client = Client(f)
    assert client.get(SYSTEM)["PowerState"] == "Off"
    assert client.reset("On") == 204
    assert client.get(SYSTEM)["PowerState"] == "PoweringOn"
    move(f, 60)
    assert client.get(SYSTEM)["PowerState"] == "On"
    client.reset("GracefulShutdown")
    assert client.get(SYSTEM)["PowerState"] == "PoweringOff"
    move(f, 60)
    assert client.get(SYSTEM)["PowerState"] == "Off"


def test_what_is_so_already_is_not_done_again_and_not_counted() -> None:
    client = Client(fleet())
    for _ in range(3):
        client.reset("On")
    client.reset("ForceRestart")
    assert client.ledger == {"power_on": 1, "power_cycle": 1}


def test_a_bios_setting_is_pending_until_the_host_boots() -> None:
    client = Client(fleet())
    assert client.patch(f"{BIOS}/Settings", {"Attributes": {"TPM": "Enabled"}}) == 204
    assert client.get(BIOS)["Attributes"]["TPM"] == "Disabled"
    assert client.get(f"{BIOS}/Settings")["Attributes"] == {"TPM": "Enabled"}
    client.reset("On")
    assert client.get(BIOS)["Attributes"]["TPM"] == "Enabled"
    assert client.get(f"{BIOS}/Settings")["Attributes"] == {}
    assert client.ledger["bios_set"] == 1


def test_a_bios_setting_that_does_not_exist_is_refused_and_nothing_of_the_request_is_done() -> None:
    client = Client(fleet())
    wrong = {"TPM": "Enabled", "Turbo": True, "EmbeddedUefiShell": "Sometimes"}
    status, body, _ = client.ask("PATCH", f"{BIOS}/Settings", {"Attributes": wrong})
    assert status == 400
    assert len(body["error"]["@Message.ExtendedInfo"]) == 2
    assert client.get(f"{BIOS}/Settings")["Attributes"] == {}


def test_secure_boot_changes_with_the_next_boot() -> None:
    client = Client(fleet())
    assert client.patch(f"{SYSTEM}/SecureBoot", {"SecureBootEnable": False}) == 204
    assert client.get(f"{SYSTEM}/SecureBoot")["SecureBootCurrentBoot"] == "Enabled"
    client.reset("On")
    assert client.get(f"{SYSTEM}/SecureBoot")["SecureBootCurrentBoot"] == "Disabled"


def test_a_boot_override_is_set_on_the_settings_and_used_up_by_one_boot() -> None:
    client = Client(fleet())
    once = {"Boot": {"BootSourceOverrideTarget": "UefiHttp", "BootSourceOverrideEnabled": "Once"}}
    assert client.patch(SYSTEM, once) == 400
    assert client.patch(f"{SYSTEM}/Settings", once) == 204
    assert client.get(SYSTEM)["Boot"]["BootSourceOverrideTarget"] == "UefiHttp"
    client.reset("On")
    assert client.get(SYSTEM)["Boot"]["BootSourceOverrideEnabled"] == "Disabled"


def test_boot_options_are_found_by_the_mac_of_the_card() -> None:
    client = Client(fleet())
    option = client.get(f"{SYSTEM}/BootOptions/Boot0000")
    mac = client.endpoint.entry.macs[0].replace(":", "").upper()
    assert option["DisplayName"] == f"UEFI HTTPv4 (MAC:{mac})"
    order = ["Boot0001", "Boot0000", "Boot0020"]
    assert client.patch(f"{SYSTEM}/Settings", {"Boot": {"BootOrder": order}}) == 204
    assert client.get(SYSTEM)["Boot"]["BootOrder"][0] == "Boot0000"
    client.reset("On")
    assert client.get(SYSTEM)["Boot"]["BootOrder"] == order


def test_an_auxiliary_cycle_takes_the_bmc_away_for_a_while() -> None:
    f = fleet()
    client = Client(f)
    path = "/redfish/v1/Chassis/BMC_0/Actions/Oem/NvidiaChassis.AuxPowerReset"
    assert client.post(path, {"ResetType": "Later"}) == 400
    assert client.post(path, {"ResetType": "AuxPowerCycle"}) == 204
    assert not f.is_reachable(client.endpoint)
    assert f.arrive(client.endpoint).mishap is Mishap.REFUSED
    move(f, 1000)
    assert f.is_reachable(client.endpoint)
    assert client.ledger == {"aux_cycle": 1}


def test_a_rack_without_power_has_no_endpoint_and_the_other_racks_have_all() -> None:
    f = fleet(racks=2, rack_power_losses=[{"rack": "sim-r001", "at_s": 100, "for_s": 50}])
    Client(f).reset("On")
    Client(f, DPU).reset("ForceOff", "Bluefield")
    move(f, 120)
    for endpoint in f.endpoints.values():
        assert f.is_reachable(endpoint) == (endpoint.rack == "sim-r002")
    move(f, 50)
    assert not f.is_reachable(f.endpoints[TRAY])  # its BMC starts
    move(f, 1000)
    assert all(f.is_reachable(e) for e in f.endpoints.values())
    assert Client(f).get(SYSTEM)["PowerState"] == "On"  # LastState
    assert Client(f, DPU).get("/redfish/v1/Systems/Bluefield")["PowerState"] == "Off"


def test_a_rack_can_be_switched_off_and_on_by_hand() -> None:
    f = fleet(racks=2)
    f.switch_rack("sim-r002", on=False)
    assert not f.is_reachable(f.endpoints["sim-r002/1"])
    move(f, 10)
    f.switch_rack("sim-r002", on=True)
    move(f, 1000)
    assert f.is_reachable(f.endpoints["sim-r002/1"])
    with pytest.raises(FleetError):
        f.switch_rack("sim-r009", on=False)


def test_a_tray_in_the_wrong_slot_shows_another_serial_everywhere() -> None:
    f = fleet(faults=[{"fault": "wrong_serial", "endpoints": [TRAY]}])
    client = Client(f)
    shown = client.get(SYSTEM)["SerialNumber"]
    assert shown != client.endpoint.entry.serial
    assert client.get("/redfish/v1/Chassis/Chassis_0/Assembly")["Assemblies"][0]["SerialNumber"] == shown


def test_a_leak_is_told_by_the_detector() -> None:
    f = fleet(faults=[{"fault": "leak", "endpoints": [TRAY]}])
    at = "/redfish/v1/Chassis/Chassis_0/ThermalSubsystem/LeakDetection/LeakDetectors"
    members = Client(f).get(f"{at}?$expand=.($levels=1)")["Members"]
    assert [m["DetectorState"] for m in members] == ["Critical", "OK", "OK", "OK"]


def test_a_cable_cartridge_tells_slot_and_index_of_its_tray() -> None:
    f = fleet()
    for tray, slot, index in (("1", 1, 0), ("8", 8, 7), ("12", 21, 11)):
        told = Client(f, f"sim-r001/{tray}").get("/redfish/v1/Chassis/CBC_0")["Oem"]["Nvidia"]
        assert (told["ChassisPhysicalSlotNumber"], told["ComputeTrayIndex"]) == (slot, index)


def test_each_kind_has_the_ids_of_its_hardware() -> None:
    f = fleet()

    def ids(name: str, of: str) -> list[str]:
        return [m["@odata.id"].rpartition("/")[2] for m in Client(f, name).get(f"/redfish/v1/{of}")["Members"]]

    assert ids(TRAY, "Systems") == ["System_0", "HGX_Baseboard_0"]
    assert ids(TRAY, "Managers") == ["BMC_0", "HGX_BMC_0"]
    assert {"CBC_3", "HGX_GPU_3", "Riser_Slot2_BlueField_3_Card", "HGX_Chassis_0"} <= set(ids(TRAY, "Chassis"))
    assert (ids(DPU, "Systems"), ids(DPU, "Managers")) == (["Bluefield"], ["Bluefield_BMC"])
    assert "MGX_NVSwitch_1" in ids(SWITCH, "Chassis")
    assert (ids(SHELF, "Managers"), ids(SHELF, "Chassis")) == (["bmc"], ["powershelf"])


def test_the_mode_of_a_dpu_is_set_by_an_action_and_its_rshim_by_a_patch() -> None:
    client = Client(fleet(), DPU)
    oem = "/redfish/v1/Systems/Bluefield/Oem/Nvidia"
    assert client.post(f"{oem}/Actions/Mode.Set", {"Mode": "NicMode"}) == 204
    assert client.get(oem)["Mode"] == "NicMode"
    rshim = "/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia"
    assert client.patch(rshim, {"BmcRShim": {"BmcRShimEnabled": True}}) == 204
    assert client.get(rshim)["BmcRShim"]["BmcRShimEnabled"] is True
    assert client.ledger == {"dpu_mode_set": 1}


def test_a_change_based_on_an_old_view_is_refused() -> None:
    client = Client(fleet())
    settings = f"{BIOS}/Settings"
    tag = client.ask("GET", settings)[2]["ETag"]
    change = {"Attributes": {"TPM": "Enabled"}}
    assert client.ask("PATCH", settings, change, if_match=tag)[0] == 204
    assert client.ask("PATCH", settings, change, if_match=tag)[0] == 412


def test_a_restarted_simulator_goes_on_where_it_was(tmp_path: Path) -> None:
    def start() -> Fleet:
        clock = Hands()
        clock.at = 500
        return fleet(state=tmp_path, clock=clock, factory_password_must_change=True)

    f = start()
    first = Client(f)
    first.patch("/redfish/v1/AccountService/Accounts/root", {"Password": "long-enough"})
    second = Client(f, password="long-enough")
    second.reset("On")
    second.patch(f"{BIOS}/Settings", {"Attributes": {"TPM": "Enabled"}})
    f.switch_rack("sim-r001", on=False)
    f.store.close()  # killed: nothing more is kept
    f = start()
    move(f, 10)
    f.switch_rack("sim-r001", on=True)
    move(f, 1000)
    again = Client(f, password="long-enough")
    assert again.get(SYSTEM)["PowerState"] == "On"
    assert again.get(BIOS)["Attributes"]["TPM"] == "Enabled"  # the loss of power was a boot
    assert again.ledger == {"password_change": 1, "power_on": 1, "bios_set": 1}
    assert [e.deed for e in f.entries()] == ["password_change", "power_on", "bios_set"]


def test_a_state_is_not_taken_over_by_a_run_with_another_seed(tmp_path: Path) -> None:
    fleet(state=tmp_path, seed=1).close()
    with pytest.raises(FleetError, match="another seed"):
        fleet(state=tmp_path, seed=2)


def test_a_second_simulator_does_not_use_the_state_of_a_running_one(tmp_path: Path) -> None:
    first = fleet(state=tmp_path)
    with pytest.raises(FleetError, match="another --state"):
        fleet(state=tmp_path)
    first.close()
    fleet(state=tmp_path).close()
