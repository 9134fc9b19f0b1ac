"""A rack of which something fails: the cause is named, the others finish, the next run completes."""

from __future__ import annotations

import pytest

from components.clients.ironic import Ironic
from components.errors import DeviceError
from components.provider.handler import UnfinishedError
from components.provider.rack import RackHandler
from tests.rack_world import REACHED, World


async def test_one_failing_tray_does_not_stop_the_others_and_a_rerun_after_the_cure_completes(world: World) -> None:
    world.ironic.failing["r01-t02", "active"] = "Timeout reached while waiting for callback for node 77"
    with pytest.raises(UnfinishedError) as failure:
        await world.create()
    text = str(failure.value)
    assert "1 of 3 trays did not get there, the others did" in text
    assert "r01-t02: deployment failed: the agent did not call back in time" in text
    assert "docs/runbooks/HostDoesNotDeploy.md" in text
    assert failure.value.so_far.outputs["trays"]["r01-t02"]["state"] == "deploy failed"
    assert world.states() == REACHED | {"r01-t02": "deploy failed"}

    changes = world.handler().unfinished(world.inputs, failure.value.so_far.outputs)
    assert [c.text for c in changes] == ["r01-t02: deploy: it is `deploy failed`"]
    world.ironic.failing.clear()
    await world.create()
    assert world.states() == REACHED
    assert world.ironic.count("provide") == 3, "nothing is cleaned again"
    assert world.ironic.count("active", "r01-t01") == 1


@pytest.mark.parametrize(
    ("verb", "error", "cause"),
    [
        (
            "manage",
            "Failed to get power state for node 7. Error: Redfish exception occurred. Error: HTTP GET"
            " https://172.30.0.130/redfish/v1/Systems/1 returned code 401. Base.1.0.GeneralError",
            "the BMC refused the credentials",
        ),
        (
            "manage",
            "Redfish connection failed for node 7: Unable to connect to https://172.30.0.130/redfish/v1/."
            " Error: HTTPSConnectionPool(host='172.30.0.130', port=443): Max retries exceeded",
            "the BMC does not answer",
        ),
        ("inspect", "timeout reached while inspecting the node", "the agent did not call back in time"),
        ("provide", "Timeout reached while cleaning the node.", "the agent did not call back in time"),
        (
            "active",
            "Failed to prepare to deploy: Validation of image href http://images.test/base.raw failed,"
            " reason: Got HTTP code 404 instead of 200 in response to HEAD request.",
            "the deploy image cannot be fetched",
        ),
        ("active", "something new", "deployment failed"),
    ],
)
async def test_each_failure_names_its_cause_and_is_cured_by_a_rerun(
    world: World, verb: str, error: str, cause: str
) -> None:
    world.ironic.failing["r01-t02", verb] = error
    with pytest.raises(UnfinishedError, match=cause):
        await world.create()
    assert world.states()["r01-t01"] == "active"
    world.ironic.failing.clear()
    await world.create()
    assert world.states() == REACHED


async def test_a_bmc_that_does_not_let_us_in_is_not_even_given_to_ironic(world: World) -> None:
    world.silent_bmcs.add("r01-t02")
    with pytest.raises(UnfinishedError, match="the BMC does not answer"):
        await world.create()
    assert set(world.states()) == {"r01-t01", "r01-t03"}
    world.silent_bmcs.clear()
    await world.create()
    assert world.states() == REACHED


async def test_an_image_that_is_refused_at_once_names_its_cause(world: World) -> None:
    world.ironic.refusing["r01-t01", "active"] = (
        "Validation of image href http://images.test/base.raw failed, reason: Got HTTP code 404 instead of 200"
    )
    with pytest.raises(UnfinishedError, match="publish the image again"):
        await world.create()
    world.ironic.refusing.clear()
    await world.create()
    assert world.states() == REACHED


async def test_another_machine_in_the_place_stops_that_tray_with_both_values(world: World) -> None:
    world.ironic.machines["r01-t02"].serial = "STRANGER"
    with pytest.raises(UnfinishedError) as failure:
        await world.create()
    problem = next(p for p in failure.value.problems if p.path == "r01-t02")
    assert (problem.rule, problem.found, problem.allowed) == ("serial-differs", "STRANGER", "SERIAL2")
    assert world.ironic.count("provide", "r01-t02") == 0, "a stranger's disk is not wiped"

    world.ironic.machines["r01-t02"].serial = "SERIAL2"  # the right tray is put in
    await world.create()
    assert world.states() == REACHED


async def test_a_network_card_that_is_not_there_stops_the_tray(world: World) -> None:
    world.ironic.machines["r01-t01"].macs = ("02:00:00:00:01:00", "02:00:00:00:01:01", "02:ff:ff:ff:ff:ff")
    with pytest.raises(UnfinishedError, match="no network card has 02:00:00:00:01:02"):
        await world.create()


async def test_a_deployment_that_hangs_is_started_anew_by_the_next_run(world: World) -> None:
    new = world.changed(deploy_timeout_s=0.2)
    world.ironic.hanging.add(("r01-t01", "active"))
    world.inputs = new
    with pytest.raises(UnfinishedError, match=r"deployment did not end in 0\.2 s"):
        await world.create()
    world.ironic.nodes["r01-t01"]["provision_updated_at"] = "2026-01-01T00:00:00+00:00"
    await world.create()
    assert world.states() == REACHED
    assert world.ironic.count("deleted", "r01-t01") == 1


async def test_ironic_out_of_reach_is_one_error_and_nothing_is_recorded(world: World) -> None:
    world.handler()
    bad = RackHandler(factory=lambda rack, context: Ironic("http://127.0.0.1:1", None, first_pause_s=0), poll_s=0)
    with world.journal() as journal, pytest.raises(DeviceError) as failure:
        await bad.create("r01", world.inputs, world.context(journal))
    assert not isinstance(failure.value, UnfinishedError)
    assert len(failure.value.problems) == 1
    assert "Ironic does not answer" in str(failure.value)


async def test_a_tray_in_maintenance_by_an_operator_is_left_alone(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t03"].update(maintenance=True, maintenance_reason="memory test", power_state="power on")
    with pytest.raises(UnfinishedError, match="memory test"):
        await world.create()


async def test_a_tray_that_somebody_else_works_on_is_named_and_left(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t01"]["provision_state"] = "rescue"
    with pytest.raises(UnfinishedError, match="somebody else is at work on this tray"):
        await world.create()
