"""A rack from the floor to hosts: what is done, what a host learns, what is recorded, how it ends."""

from __future__ import annotations

import copy
import json

import pytest

from components.clients.hostkeys import ensure_host_key, region_hostkeys
from components.errors import RegionError
from components.provider.handler import UnfinishedError
from tests.rack_world import CA, REACHED, SHA, World, records


async def test_from_the_floor_to_hosts_and_a_spare_that_is_off(world: World) -> None:
    outputs = await world.create()
    assert world.states() == REACHED
    assert {name: tray["state"] for name, tray in outputs.items()} == REACHED
    assert outputs["r01-t01"]["image_sha256"] == SHA
    assert outputs["r01-t01"]["address"] == "172.30.0.65"
    assert outputs["r01-t03"]["image_sha256"] == ""
    assert world.ironic.nodes["r01-t03"]["power_state"] == "power off"
    assert [verb for name, verb in world.ironic.asked if name == "r01-t01"] == [
        "create",
        "manage",
        "inspect",
        "provide",
        "active",
    ]
    assert any("r01-t02: deployment, wait call-back" in line for line in world.reports)


async def test_a_host_learns_its_identity_from_the_config_drive(world: World) -> None:
    await world.create()
    drive = world.ironic.drives["r01-t01"]
    key = ensure_host_key(region_hostkeys(world.project, "lab"), "r01-t01")
    user = json.loads(drive["user_data"].removeprefix("#cloud-config\n"))
    assert drive["meta_data"]["hostname"] == "r01-t01"
    assert user["ssh_keys"]["ed25519_private"] == key.private
    assert {f["path"]: f["content"] for f in user["write_files"]} == {
        "/etc/gpuregion-image": json.dumps({"sha256": SHA}) + "\n",
        "/usr/local/share/ca-certificates/region-ca.crt": CA.read_text(),
        "/etc/resolv.conf": "nameserver 172.30.0.1\n",
    }
    network = drive["network_data"]["networks"][0]
    assert network["netmask"] == "255.255.255.0"
    assert network["routes"] == [], "a default route out of band would hide a broken fabric"
    agent = world.ironic.nodes["r01-t01"]["network_data"]["networks"][0]
    assert agent["routes"][0]["gateway"] == "172.30.0.1", "the agent has no other way to Ironic"
    pins = (world.project / ".region" / "lab" / "known_hosts").read_text()
    assert f"172.30.0.65 {key.public}\n" in pins


async def test_a_second_run_touches_nothing(world: World) -> None:
    await world.create()
    asked, history = list(world.ironic.asked), len(records(world))
    await world.create()
    assert world.ironic.asked == asked
    assert len(records(world)) == history


async def test_each_deployment_leaves_a_mark_of_its_own_and_nothing_else_changes_it(world: World) -> None:
    first = {name: tray["deployed"] for name, tray in (await world.create()).items()}
    assert first["r01-t01"] != first["r01-t02"]
    assert first["r01-t03"] == "", "a spare runs nothing"
    assert {name: tray["deployed"] for name, tray in (await world.create()).items()} == first
    assert {name: tray["deployed"] for name, tray in (await world.read()).items()} == first

    world.undeploy("r01-t01")
    assert (await world.read())["r01-t01"]["deployed"] == ""
    second = {name: tray["deployed"] for name, tray in (await world.create()).items()}
    assert second["r01-t01"] not in ("", first["r01-t01"]), "the same image on a wiped disk is another host"
    assert second["r01-t02"] == first["r01-t02"]


async def test_a_host_from_before_there_were_marks_is_as_described(world: World) -> None:
    await world.create()
    for node in world.ironic.nodes.values():
        node["instance_info"].pop("gpuregion_deployed", None)
    found = await world.read()
    assert {name: (tray["deployed"], tray["left"]) for name, tray in found.items()} == dict.fromkeys(REACHED, ("", ""))
    assert world.handler().diff(world.inputs, copy.deepcopy(world.inputs)) == []
    assert world.handler().unfinished(world.inputs, {"trays": found}) == []


async def test_ironic_that_is_busy_is_asked_again(world: World) -> None:
    world.ironic.busy = 5
    await world.create()
    assert world.states() == REACHED


async def test_a_spare_that_somebody_switched_on_is_switched_off(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t03"]["power_state"] = "power on"
    await world.create()
    assert world.ironic.nodes["r01-t03"]["power_state"] == "power off"


async def test_delete_undeploys_and_forgets_and_tolerates_absence(world: World) -> None:
    await world.create()
    await world.delete()
    assert world.ironic.nodes == {}
    assert world.ironic.count("deleted") == 2
    await world.delete()


async def test_a_protected_rack_is_not_deleted(world: World) -> None:
    await world.create()
    world.inputs["protect"] = True
    with pytest.raises(RegionError, match="protected"):
        await world.delete()
    assert world.states() == REACHED


async def test_read_reports_drift_and_absence(world: World) -> None:
    with world.journal() as journal:
        assert await world.handler().read("r01", world.inputs, world.context(journal)) is None
    await world.create()
    world.undeploy("r01-t01")
    found = await world.read()
    assert found["r01-t01"]["state"] == "available"
    texts = [c.text for c in world.handler().unfinished(world.inputs, {"trays": found})]
    assert texts == ["r01-t01: deploy: it is `available`"]


async def test_secrets_reach_ironic_and_nothing_else(world: World) -> None:
    world.ironic.failing["r01-t02", "manage"] = "Cannot log in as operator:bmc-secret, HTTP GET / returned code 401"
    with pytest.raises(UnfinishedError) as failure:
        await world.create()
    assert world.ironic.nodes["r01-t01"]["driver_info"]["redfish_password"] == "bmc-secret"
    written = str(failure.value) + str(failure.value.so_far.outputs) + "".join(world.reports)
    written += "".join(str(record) for record in records(world))
    assert "bmc-secret" not in written
