"""What a run does to machines and switches in memory is what the preview listed, no more and no less.

The real lab lives the same in tests/integration/test_predictions.py.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from components.clients.host import HostIdentity
from components.engine.approval import Approval
from components.engine.journal import Journal, Outcome
from components.plan.actions import ActionKind, PhysicalAction, rack_actions, switch_actions
from components.provider import rack_trays, switch_config
from components.provider.handler import Context
from tests.fake_ironic import Machine
from tests.fake_switch import FakeSwitch, config
from tests.rack_world import World, records, tray

Done = set[tuple[str, str]]
OF_A_RUN = {ActionKind.CONFIRM, ActionKind.POWER_OFF}
"""Steps of a run that follow from what was listed."""


def predicted(actions: Iterable[PhysicalAction], *, known: Iterable[str] = ()) -> Done:
    """Device and kind. A machine that is known has its record corrected, which is no action on it."""
    gone = {action.target for action in actions if action.kind is ActionKind.REMOVE}
    return {
        (a.target, str(a.kind))
        for a in actions
        if a.kind is not ActionKind.NOTHING
        and not (a.kind is ActionKind.ENROL and a.target in known and a.target not in gone)
    }


def done(history: Iterable[Any]) -> Done:
    rows = [row for row in history if row.kind not in OF_A_RUN]
    assert {row.outcome for row in rows} <= {Outcome.DONE, Outcome.OBSERVED}
    return {(row.target, row.kind) for row in rows}


def exchange(world: World, new: dict[str, Any]) -> None:
    new["trays"]["r01-t02"]["serial"] = "SERIAL9"
    world.ironic.machines["r01-t02"] = Machine("SERIAL9", world.ironic.machines["r01-t02"].macs)


def another_image(_: World, new: dict[str, Any]) -> None:
    new["image"]["sha256"] = "b" * 64


def one_more(world: World, new: dict[str, Any]) -> None:
    new["trays"]["r01-t04"] = tray(4, "active")
    world.ironic.machines["r01-t04"] = Machine("SERIAL4", tuple(new["trays"]["r01-t04"]["macs"].values()))


def one_less(_: World, new: dict[str, Any]) -> None:
    del new["trays"]["r01-t01"]


def promoted(_: World, new: dict[str, Any]) -> None:
    new["trays"]["r01-t03"]["desired"] = "active"


def held_back(_: World, new: dict[str, Any]) -> None:
    new["trays"]["r01-t01"]["desired"] = "available"


def renamed(_: World, new: dict[str, Any]) -> None:
    new["trays"]["r01-t02"]["hostname"] = "other"


def credentials(_: World, new: dict[str, Any]) -> None:
    new["bmc_credentials"] = "file:ironic.json"


def time_limit(_: World, new: dict[str, Any]) -> None:
    new["deploy_timeout_s"] = 6


RACKS: dict[str, Callable[[World, dict[str, Any]], None]] = {
    "another machine in a place": exchange,
    "another image": another_image,
    "a tray more": one_more,
    "a tray less": one_less,
    "a spare promoted": promoted,
    "a host held back": held_back,
    "a host renamed": renamed,
    "another credential": credentials,
    "another time limit": time_limit,
}


@pytest.mark.parametrize("case", RACKS)
async def test_a_rack_gets_what_was_predicted(case: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.create()
    before = len(records(world))
    old, new = world.inputs, world.changed()
    RACKS[case](world, new)

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=new["image"]["sha256"])

    monkeypatch.setattr(rack_trays, "identify", identify)
    actions = rack_actions(old, new)
    approved = Approval.of([("substrate", a.target, str(a.kind)) for a in actions], "the preview")
    path = world.project / ".region/lab/journal.db"
    with Journal.open(path, scope="lab.substrate", approval=approved) as journal:
        await world.handler().update("r01", old, new, world.context(journal))
    fresh = records(world)[: len(records(world)) - before]
    assert done(fresh) == predicted(actions, known=old["trays"])


async def test_a_first_run_does_what_was_predicted(world: World) -> None:
    await world.create()
    assert done(records(world)) == predicted(rack_actions(None, world.inputs))


SWITCHES: dict[str, tuple[str, str]] = {
    "lines added to one": (config("swp1", extra="ip prefix-list A seq 5 permit 10.0.0.0/8"), config("swp1")),
    "lines added to both": (
        config("swp1", extra="ip prefix-list A seq 5 permit 10.0.0.0/8"),
        config("swp1", extra="ip prefix-list B seq 5 permit 10.0.0.0/8"),
    ),
    "another AS number": (config("swp1", asn=65999), config("swp1")),
    "nothing": (config("swp1"), config("swp1")),
}


@pytest.mark.parametrize("case", SWITCHES)
async def test_switches_get_what_was_predicted(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switches = {name: FakeSwitch(name).settled(config("swp1")) for name in ("a", "b")}
    monkeypatch.setattr(switch_config, "_connect", lambda group, context: switches)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    since = {name: dict(switch._up_since) for name, switch in switches.items()}  # pyright: ignore[reportPrivateUsage]
    old = group(config("swp1"), config("swp1"))
    new = group(*SWITCHES[case])
    actions = switch_actions(old, new)
    approved = Approval.of([("fabric", a.target, str(a.kind)) for a in actions], "the preview")
    path = tmp_path / "journal.db"
    handler = switch_config.SwitchConfigHandler()
    with Journal.open(path, scope="lab.fabric", approval=approved) as journal:
        await handler.update("x", old, new, Context(project=tmp_path, region="lab", journal=journal))
    acted = {
        (row.target, row.kind)
        for row in Journal.read_history(path)
        if row.outcome == Outcome.DONE and row.kind not in OF_A_RUN
    }
    assert acted == predicted(actions)
    restarted = {
        f"{name}:{port}"
        for name, switch in switches.items()
        for port, up in switch._up_since.items()  # pyright: ignore[reportPrivateUsage]
        if up > since[name][port]
    }
    assert restarted == {name for action in actions for name in action.disrupts}


def group(a: str, b: str) -> dict[str, Any]:
    return copy.deepcopy(
        {
            "switches": {
                name: {"address": "172.30.0.17", "config": text, "expect_up": ["swp1"]}
                for name, text in (("a", a), ("b", b))
            },
            "ssh": {"user": "root", "private_key": "env:X", "known_hosts": "env:X"},
            "confirm_in_s": 6,
            "settle_s": 0.3,
        }
    )
