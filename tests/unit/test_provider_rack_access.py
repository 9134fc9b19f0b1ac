"""Access to BMCs: a changed credential reaches Ironic, also of a host in service, and a refused one is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.clients.secrets import SecretError
from components.errors import DeviceError
from components.provider import rack_trays
from components.provider.handler import UnfinishedError
from tests.rack_world import REACHED, World, records

REFUSED = "Failed to set power. Error: HTTP POST https://172.30.0.131/redfish/v1/Systems/1 returned code 401."


def change_password(world: World, password: str = "new-secret", file: str = "bmc.json") -> None:  # noqa: S107
    world.secret(file, json.dumps({"username": "operator", "password": password}))


def passwords(world: World) -> dict[str, str]:
    return {name: node["driver_info"]["redfish_password"] for name, node in world.ironic.nodes.items()}


async def test_another_reference_reaches_ironic_and_leaves_hosts_running(world: World) -> None:
    await world.create()
    asked = list(world.ironic.asked)
    change_password(world, file="other.json")
    new = world.changed(bmc_credentials="file:other.json")
    texts = [c.text for c in world.handler().diff(world.inputs, new)]
    assert "enrol r01-t01: bmc_credentials changes from file:bmc.json to file:other.json" in texts
    outputs = await world.update(new)
    assert passwords(world) == dict.fromkeys(REACHED, "new-secret")
    assert world.ironic.asked == asked, "nothing is done to a machine"
    assert [tray["left"] for tray in outputs.values()] == [""] * 3


async def test_other_content_of_the_same_reference_is_found_by_a_refresh_and_mended_by_a_run(world: World) -> None:
    await world.create()
    change_password(world)
    found = await world.read()
    assert {name: tray["left"] for name, tray in found.items()} == dict.fromkeys(REACHED, "enrol")
    texts = [c.text for c in world.handler().unfinished(world.inputs, {"trays": found})]
    assert "r01-t01: enrol: it is `active`" in texts
    await world.update(world.inputs)
    assert passwords(world) == dict.fromkeys(REACHED, "new-secret")
    assert {tray["left"] for tray in (await world.read()).values()} == {""}


async def test_a_password_that_the_bmc_refuses_is_not_given_to_ironic(world: World) -> None:
    await world.create()
    change_password(world)
    world.silent_bmcs.add("r01-t01")
    with pytest.raises(UnfinishedError, match="r01-t01: the BMC does not answer") as failure:
        await world.update(world.inputs)
    assert passwords(world) == dict.fromkeys(REACHED, "new-secret") | {"r01-t01": "bmc-secret"}
    assert failure.value.so_far.outputs["trays"]["r01-t01"]["left"] == "enrol", "the next run tries again"


async def test_a_machine_that_ironic_lost_hold_of_is_asked_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.create()
    lost = "During sync_power_state, max retries exceeded for node 7"
    world.ironic.nodes["r01-t01"].update(maintenance=True, fault="power failure", maintenance_reason=lost)
    assert (await world.read())["r01-t01"]["left"] == "enrol"

    async def refuses(*_: Any) -> None:
        raise DeviceError("the BMC refused the credentials")

    async def answers(*_: Any) -> None:
        """Lets us in."""

    monkeypatch.setattr(rack_trays, "knock", refuses)
    with pytest.raises(UnfinishedError):
        await world.update(world.inputs)
    assert world.ironic.nodes["r01-t01"]["maintenance"], "Ironic would only try the wrong password again"
    monkeypatch.setattr(rack_trays, "knock", answers)
    outputs = await world.update(world.inputs)
    assert not world.ironic.nodes["r01-t01"]["maintenance"]
    assert outputs["r01-t01"]["left"] == ""


async def test_a_refused_power_command_is_named_at_once(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t03"]["power_state"] = "power on"
    world.ironic.failing["r01-t03", "power off"] = REFUSED
    with pytest.raises(UnfinishedError, match="switching off failed: the BMC refused the credentials") as failure:
        await world.create()
    (problem,) = failure.value.problems
    assert problem.rule == "bmc-credentials"
    assert "correct the file that `credentials.bmc` names" in str(problem.remedy)


async def test_a_refused_power_request_is_named_too(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t03"]["power_state"] = "power on"
    world.ironic.refusing["r01-t03", "power off"] = REFUSED
    with pytest.raises(UnfinishedError, match="switching off failed: the BMC refused the credentials"):
        await world.create()


async def test_a_node_from_before_there_were_digests_is_as_described_until_it_is_worked_on(world: World) -> None:
    await world.create()
    for node in world.ironic.nodes.values():
        node["extra"] = {"gpuregion_serial": node["extra"]["gpuregion_serial"]}
    assert {tray["left"] for tray in (await world.read()).values()} == {""}
    await world.update(world.inputs)
    assert all("gpuregion_access" in node["extra"] for node in world.ironic.nodes.values())


async def test_what_tells_of_a_change_tells_nothing_of_the_password(world: World) -> None:
    await world.create()
    first = {name: node["extra"]["gpuregion_access"] for name, node in world.ironic.nodes.items()}
    assert len(set(first.values())) == 3, "the same password at two BMCs does not show"
    change_password(world)
    found = str(await world.read()) + str(await world.update(world.inputs)) + str(records(world)) + str(world.reports)
    found += str([node["extra"] for node in world.ironic.nodes.values()])
    assert "bmc-secret" not in found
    assert "new-secret" not in found


def keep_logins(world: World, held: object) -> dict[str, Any]:
    """A folder as a bring-up leaves it, and the inputs that name it."""
    (world.project / "passwords").mkdir(mode=0o700, exist_ok=True)
    world.secret("passwords/r01.json", json.dumps(held))
    return world.changed(bmc_credentials="file:passwords")


def login(password: str) -> dict[str, str]:
    return {"username": "root", "password": password}


async def test_each_tray_is_given_to_ironic_with_the_password_that_its_bring_up_minted(world: World) -> None:
    minted = {"r01/1": login("one"), "r01/2": login("two"), "r01/3": login("three"), "r01/1/left-bf3": login("dpu")}
    world.inputs = keep_logins(world, minted)
    await world.create()
    assert passwords(world) == {"r01-t01": "one", "r01-t02": "two", "r01-t03": "three"}


async def test_one_minted_password_that_changes_is_given_for_its_tray_alone(world: World) -> None:
    minted = {f"r01/{slot}": login("first") for slot in (1, 2, 3)}
    world.inputs = keep_logins(world, minted)
    await world.create()
    keep_logins(world, minted | {"r01/2": login("second")})
    found = await world.read()
    assert {name: tray["left"] for name, tray in found.items()} == {"r01-t01": "", "r01-t02": "enrol", "r01-t03": ""}


async def test_a_rack_in_the_folder_may_have_one_login_for_all_of_it(world: World) -> None:
    world.inputs = keep_logins(world, login("shared"))
    await world.create()
    assert passwords(world) == dict.fromkeys(REACHED, "shared")


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"r01/1": login("one")}, "r01-t02, r01-t03"),
        ({"r01/1": {"username": "root"}}, "does not hold logins"),
        ([], "does not hold logins"),
    ],
)
async def test_a_folder_without_a_trays_login_is_refused_before_anything_is_asked_of_ironic(
    world: World, held: object, said: str
) -> None:
    world.inputs = keep_logins(world, held)
    with pytest.raises(SecretError) as refused:
        await world.create()
    assert said in " ".join(f"{p.message} {p.found}" for p in refused.value.problems)
    assert "one" not in str(refused.value)
    assert not world.ironic.nodes


async def test_a_rack_that_was_not_brought_up_is_named_with_the_way_on(world: World) -> None:
    (world.project / "passwords").mkdir(mode=0o700)
    world.inputs = world.changed(bmc_credentials="file:passwords")
    with pytest.raises(SecretError) as refused:
        await world.create()
    (problem,) = refused.value.problems
    assert problem.path == "file:passwords/r01.json"
    assert "--fleet delivered:" in (problem.remedy or "")
