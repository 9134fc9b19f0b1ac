"""Kills: the process dies at a request, before it reached Ironic or after; the next run completes."""

from __future__ import annotations

import pytest

from components.clients.host import HostIdentity
from components.provider import rack_trays
from tests.fake_ironic import KilledError
from tests.rack_world import REACHED, Killer, World, records


async def requests_of_a_run(world: World) -> int:
    await world.create()
    return world.ironic.requests


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(2, 46, 3))
async def test_a_run_killed_anywhere_is_completed_by_the_next_without_repeating(
    world: World, number: int, when: str
) -> None:
    del world.inputs["trays"]["r01-t02"]
    killer = Killer(number, when)
    world.ironic.on_request = killer
    with pytest.raises(KilledError):
        await world.create()
    await world.create()
    assert killer.done
    assert world.states() == {"r01-t01": "active", "r01-t03": "available"}
    for verb, trays in (("create", 2), ("provide", 2), ("active", 1)):
        assert world.ironic.count(verb) == trays, f"{verb} was repeated"
    open_intents = [r for r in records(world) if r.outcome is None]
    assert not open_intents, "every intent of the killed run is resolved"


async def test_the_kill_points_lie_within_a_run(world: World) -> None:
    del world.inputs["trays"]["r01-t02"]
    assert await requests_of_a_run(world) >= 46, "the points of the test above are spread over a whole run"


@pytest.mark.parametrize("number", [3, 8, 12, 16, 20])
async def test_a_rebuild_killed_anywhere_wipes_once(world: World, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.create()
    other = "b" * 64
    new = world.changed(image={**world.inputs["image"], "sha256": other})

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=other)

    monkeypatch.setattr(rack_trays, "identify", identify)
    world.ironic.on_request = Killer(world.ironic.requests + number, "after")
    with pytest.raises(KilledError):
        await world.update(new)
    await world.update(new)
    assert world.states() == REACHED
    assert (world.ironic.count("deleted"), world.ironic.count("active")) == (2, 4)
