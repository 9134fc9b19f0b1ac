"""Nothing is done that was not approved: refused before an intent is noted, and before a device is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.clients.approval import VARIABLE, approval_of
from components.engine.approval import Approval, NotApprovedError
from components.engine.journal import Action, Journal, Observation, Outcome
from components.errors import RegionError
from components.plan.actions import ActionKind, rack_actions
from components.provider import plugin, switch_config
from components.provider.handler import Context, UnfinishedError
from tests.fake_switch import FakeSwitch, config
from tests.rack_world import World, records

DEPLOY = Action(target="lab-r01-t01", kind=ActionKind.DEPLOY, digest="1")
PLAN = "plan.json"


def approval(*actions: tuple[str, str, str]) -> Approval:
    return Approval.of(actions, PLAN)


async def performed(path: Path, allowed: Approval | None, seen: Observation = Observation.ABSENT) -> list[str]:
    done: list[str] = []

    async def observe() -> Observation:
        return seen

    async def act() -> None:
        done.append("acted")

    with Journal.open(path, scope="lab.substrate", approval=allowed) as journal:
        await journal.perform(DEPLOY, observe=observe, act=act)
    return done


async def test_an_action_on_the_list_is_done(tmp_path: Path) -> None:
    assert await performed(tmp_path / "journal.db", approval(("substrate", "lab-r01-t01", "deploy"))) == ["acted"]


@pytest.mark.parametrize(
    "listed",
    [
        (),
        (("substrate", "lab-r01-t02", "deploy"),),
        (("substrate", "lab-r01-t01", "clean"),),
        (("fabric", "lab-r01-t01", "deploy"),),
    ],
    ids=["an empty list", "another device", "another action", "another layer"],
)
async def test_an_action_that_is_not_on_the_list_leaves_no_trace(
    tmp_path: Path, listed: tuple[tuple[str, str, str], ...]
) -> None:
    path = tmp_path / "journal.db"
    with pytest.raises(NotApprovedError, match=r"`deploy` is not in the approved plan"):
        await performed(path, approval(*listed))
    assert Journal.read_history(path) == []


async def test_what_is_found_done_needs_no_approval(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert await performed(path, approval(), Observation.DONE) == []
    assert [row.outcome for row in Journal.read_history(path)] == [Outcome.OBSERVED]


async def test_without_a_list_everything_is_done(tmp_path: Path) -> None:
    assert await performed(tmp_path / "journal.db", None) == ["acted"]


def test_steps_of_a_run_follow_the_action_that_they_belong_to() -> None:
    allowed = approval(("fabric", "lab-leaf1", "configure"), ("substrate", "lab-r01-t04", "clean"))
    for kind in (ActionKind.CONFIRM, ActionKind.ROLL_BACK):
        allowed.require("lab.fabric", Action(target="lab-leaf1", kind=kind, digest="1"))
    allowed.require("lab.substrate", Action(target="lab-r01-t04", kind=ActionKind.POWER_OFF, digest="1"))
    with pytest.raises(NotApprovedError):
        allowed.require("lab.substrate", Action(target="lab-r01-t03", kind=ActionKind.POWER_OFF, digest="1"))


def test_the_list_is_named_by_the_environment(tmp_path: Path) -> None:
    assert approval_of({}) is None
    path = tmp_path / PLAN
    path.write_text(json.dumps({"actions": [{"layer": "substrate", "target": "lab-r01-t01", "kind": "deploy"}]}))
    found = approval_of({VARIABLE: str(path)})
    assert found is not None
    found.require("lab.substrate", DEPLOY)


@pytest.mark.parametrize("content", [None, "", "{}", '{"actions": [1]}'])
def test_a_list_that_cannot_be_read_stops_the_run(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / PLAN
    if content is not None:
        path.write_text(content)
    with pytest.raises(RegionError, match="the approved plan cannot be read"):
        approval_of({VARIABLE: str(path)})


async def test_the_provider_holds_its_journal_to_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PLAN).write_text('{"actions": []}')
    monkeypatch.setenv(VARIABLE, str(tmp_path / PLAN))
    provider = plugin.RegionProvider({})
    provider._project, provider._region = tmp_path, "lab"  # pyright: ignore[reportPrivateUsage]
    context = await provider._context("urn:pulumi:lab.substrate::region::t::lab-r01")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(NotApprovedError):
        context.journal.require(DEPLOY)
    provider.close()


async def test_a_tray_that_was_not_approved_is_not_touched_and_the_others_are_made(world: World) -> None:
    listed = [("substrate", a.target, str(a.kind)) for a in rack_actions(None, world.inputs) if a.target != "r01-t02"]
    with (
        Journal.open(world.project / ".region/lab/journal.db", scope="lab.substrate", approval=approval(*listed)) as j,
        pytest.raises(UnfinishedError, match="not in the approved plan"),
    ):
        await world.handler().create("r01", world.inputs, world.context(j))
    assert world.states() == {"r01-t01": "active", "r01-t03": "available"}
    assert {row.target for row in records(world)} == {"r01-t01", "r01-t03"}


async def test_a_wipe_that_nobody_approved_is_refused_although_the_rest_of_the_tray_was(world: World) -> None:
    """As when a machine needs another inspection than the preview could know of."""
    await world.create()
    world.inputs["trays"]["r01-t03"]["desired"] = "active"
    listed = [("substrate", "r01-t03", "deploy")]
    world.ironic.nodes["r01-t03"].update(provision_state="manageable")
    with (
        Journal.open(world.project / ".region/lab/journal.db", scope="lab.substrate", approval=approval(*listed)) as j,
        pytest.raises(UnfinishedError, match=r"`clean` is not in the approved plan"),
    ):
        await world.handler().update("r01", world.inputs, world.inputs, world.context(j))
    assert world.ironic.nodes["r01-t03"]["provision_state"] == "manageable"


async def test_one_switch_that_was_not_approved_keeps_the_whole_group_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = config("swp1"), config("swp1", extra="ip prefix-list A seq 5 permit 10.0.0.0/8")
    switches = {name: FakeSwitch(name).settled(old) for name in ("a", "b")}
    monkeypatch.setattr(switch_config, "_connect", lambda group, context: switches)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    inputs = {
        "switches": {name: {"address": "172.30.0.17", "config": new, "expect_up": ["swp1"]} for name in switches},
        "ssh": {"user": "root", "private_key": "env:X", "known_hosts": "env:X"},
        "confirm_in_s": 6,
        "settle_s": 0.3,
    }
    path = tmp_path / "journal.db"
    with (
        Journal.open(path, scope="lab.fabric", approval=approval(("fabric", "a", "configure"))) as journal,
        pytest.raises(NotApprovedError, match="b: `configure`"),
    ):
        context = Context(project=tmp_path, region="lab", journal=journal)
        await switch_config.SwitchConfigHandler().create("lab-switches", inputs, context)
    assert all("apply" not in switch.calls for switch in switches.values())
    assert {switch.running for switch in switches.values()} == {old}
    assert Journal.read_history(path) == []
