"""A rack whose description changes: rebuilds, exchanges, spares, and changes that are taken back."""

from __future__ import annotations

import pytest

from components.clients.host import HostIdentity
from components.errors import DeviceError
from components.provider import rack_trays
from components.provider.handler import UnfinishedError
from tests.rack_world import REACHED, World


async def test_a_new_image_rebuilds_hosts_and_leaves_the_spare(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.create()
    other = "b" * 64
    new = world.changed(image={**world.inputs["image"], "sha256": other})
    texts = [c.text for c in world.handler().diff(world.inputs, new)]
    assert "undeploy r01-t01 (destructive): image changes from base aaaaaaaaaaaa to base bbbbbbbbbbbb" in texts
    assert not any("r01-t03" in text for text in texts)

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=other)

    monkeypatch.setattr(rack_trays, "identify", identify)
    outputs = await world.update(new)
    assert outputs["r01-t02"]["image_sha256"] == other
    assert world.ironic.count("deleted") == 2
    assert world.ironic.count("inspect") == 3, "the machines are known"


async def test_a_change_that_failed_and_is_taken_back_still_shows_what_it_left(world: World) -> None:
    await world.create()
    old = world.inputs
    new = world.changed()
    new["trays"]["r01-t01"]["hostname"] = "renamed"
    world.ironic.failing["r01-t01", "active"] = "Timeout reached while waiting for callback for node 77"
    with pytest.raises(UnfinishedError) as failure:
        await world.update(new)
    left = failure.value.so_far.outputs["trays"]["r01-t01"]
    assert (left["state"], left["left"]) == ("deploy failed", "deploy")
    texts = [c.text for c in world.handler().diff(new, old)]
    assert "undeploy r01-t01 (destructive): hostname changes from renamed to r01-t01" in texts
    world.ironic.failing.clear()
    await world.update(old)
    assert world.states() == REACHED


async def test_a_tray_that_cannot_be_removed_stays_in_the_record(world: World) -> None:
    await world.create()
    new = world.changed()
    del new["trays"]["r01-t02"]
    world.ironic.refusing["r01-t02", "deleted"] = "Redfish connection failed for node 7: Unable to connect to https://b"
    with pytest.raises(DeviceError) as failure:
        await world.update(new)
    assert not isinstance(failure.value, UnfinishedError), "new inputs would not name the tray any more"
    world.ironic.refusing.clear()
    await world.update(new)
    assert set(world.states()) == {"r01-t01", "r01-t03"}


async def test_hosts_in_service_are_taken_away_within_the_racks_budget(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in world.inputs["trays"]:
        world.inputs["trays"][name]["desired"] = "active"
    await world.create()
    new = world.changed(image={**world.inputs["image"], "sha256": "b" * 64})
    least = 3

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256="b" * 64)

    def watch(number: int, when: str) -> None:
        nonlocal least
        least = min(least, sum(state == "active" for state in world.states().values()))

    monkeypatch.setattr(rack_trays, "identify", identify)
    world.ironic.on_request = watch
    await world.update(new)
    assert least == 1, "two of three at a time"
    assert set(world.states().values()) == {"active"}


async def test_a_spare_takes_up_service_and_a_host_becomes_a_spare(world: World) -> None:
    await world.create()
    new = world.changed()
    new["trays"]["r01-t01"]["desired"], new["trays"]["r01-t03"]["desired"] = "available", "active"
    await world.update(new)
    assert world.states() == {"r01-t01": "available", "r01-t02": "active", "r01-t03": "active"}
    assert world.ironic.count("active", "r01-t02") == 1


async def test_an_exchanged_machine_and_a_removed_tray(world: World) -> None:
    await world.create()
    new = world.changed()
    del new["trays"]["r01-t03"]
    new["trays"]["r01-t02"]["serial"] = "SERIAL9"
    old_uuid = world.ironic.nodes["r01-t02"]["uuid"]
    world.ironic.machines["r01-t02"].serial = "SERIAL9"
    await world.update(new)
    assert world.states() == {"r01-t01": "active", "r01-t02": "active"}
    assert world.ironic.nodes["r01-t02"]["uuid"] != old_uuid


async def test_an_exchange_is_not_made_again_because_another_tray_failed(world: World) -> None:
    await world.create()
    new = world.changed()
    new["trays"]["r01-t02"]["serial"] = world.ironic.machines["r01-t02"].serial = "SERIAL9"
    new["trays"]["r01-t03"]["desired"] = "active"
    world.ironic.failing["r01-t03", "active"] = "Timeout reached while waiting for callback for node 77"
    with pytest.raises(UnfinishedError, match="r01-t03"):
        await world.update(new)
    world.ironic.failing.clear()
    await world.update(new)
    assert world.ironic.count("delete", "r01-t02") == 1
    assert world.ironic.count("active", "r01-t02") == 2
