"""The table from Ironic's state to the next step, no-ops included."""

from __future__ import annotations

import pytest

from components.clients.ironic_model import Node
from components.engine.journal import Observation
from components.provider.tray_state import DEPLOYMENT, Goal, Step, Want, next_step, seen, way

ACTIVE = Want(goal=Goal.ACTIVE, deployment="new")
SPARE = Want(goal=Goal.AVAILABLE)
GONE = Want(goal=Goal.GONE)


def node(state: str, *, deployment: str | None = None, power: str | None = "power off") -> Node:
    info = {DEPLOYMENT: deployment} if deployment else {}
    return Node(uuid="u", name="t", provision_state=state, power_state=power, instance_info=info)


@pytest.mark.parametrize(
    ("state", "identified", "want", "step"),
    [
        # no-ops
        (node("active", deployment="new"), True, ACTIVE, Step.DONE),
        (node("active", deployment="new"), False, ACTIVE, Step.DONE),
        (node("available"), True, SPARE, Step.DONE),
        (None, False, GONE, Step.DONE),
        # forward
        (None, False, ACTIVE, Step.ENROL),
        (node("enroll"), False, ACTIVE, Step.ENROL),
        (node("manageable"), False, ACTIVE, Step.INSPECT),
        (node("manageable"), True, ACTIVE, Step.CLEAN),
        (node("manageable"), True, SPARE, Step.CLEAN),
        (node("available"), True, ACTIVE, Step.DEPLOY),
        (node("available"), False, ACTIVE, Step.MANAGE),
        (node("available"), False, SPARE, Step.MANAGE),
        (node("available", power="power on"), True, SPARE, Step.POWER_OFF),
        # another deployment, or none, is wanted
        (node("active", deployment="old"), True, ACTIVE, Step.UNDEPLOY),
        (node("active"), True, ACTIVE, Step.UNDEPLOY),
        (node("active", deployment="new"), True, SPARE, Step.UNDEPLOY),
        # under way: seen through, whatever is wanted
        (node("verifying"), False, ACTIVE, Step.ENROL),
        (node("inspect wait"), False, SPARE, Step.INSPECT),
        (node("cleaning"), False, ACTIVE, Step.CLEAN),
        (node("clean wait"), False, GONE, Step.CLEAN),
        (node("deploying", deployment="old"), False, ACTIVE, Step.DEPLOY),
        (node("wait call-back", deployment="new"), False, ACTIVE, Step.DEPLOY),
        (node("deleting"), False, ACTIVE, Step.UNDEPLOY),
        # an earlier run failed
        (node("inspect failed"), False, ACTIVE, Step.MANAGE),
        (node("clean failed"), True, SPARE, Step.MANAGE),
        (node("deploy failed"), True, ACTIVE, Step.DEPLOY),
        (node("deploy failed"), True, SPARE, Step.UNDEPLOY),
        (node("error"), True, ACTIVE, Step.UNDEPLOY),
        # on the way out
        (node("active", deployment="new"), True, GONE, Step.UNDEPLOY),
        (node("available"), True, GONE, Step.REMOVE),
        (node("enroll"), False, GONE, Step.REMOVE),
        (node("inspect failed"), False, GONE, Step.MANAGE),
        # nothing of ours
        (node("rescue"), True, ACTIVE, Step.STUCK),
        (node("service wait"), True, GONE, Step.STUCK),
    ],
)
def test_next_step(state: Node | None, identified: bool, want: Want, step: Step) -> None:
    assert next_step(state, want, is_identified=identified) is step


@pytest.mark.parametrize(
    ("state", "kind", "observation"),
    [
        (None, "enrol", Observation.ABSENT),
        (node("enroll"), "enrol", Observation.ABSENT),
        (node("verifying"), "enrol", Observation.IN_PROGRESS),
        (node("manageable"), "enrol", Observation.DONE),
        (node("inspecting"), "inspect", Observation.IN_PROGRESS),
        (node("manageable"), "inspect", Observation.ABSENT),
        (node("available"), "inspect", Observation.DONE),
        (node("clean wait"), "clean", Observation.IN_PROGRESS),
        (node("manageable"), "clean", Observation.ABSENT),
        (node("available"), "clean", Observation.DONE),
        (node("available"), "deploy", Observation.ABSENT),
        (node("available", deployment="d"), "deploy", Observation.ABSENT),
        (node("wait call-back", deployment="d"), "deploy", Observation.IN_PROGRESS),
        (node("active", deployment="d"), "deploy", Observation.DONE),
        (node("active", deployment="other"), "deploy", Observation.ABSENT),
        (node("deploy failed", deployment="d"), "deploy", Observation.ABSENT),
        (node("active", deployment="d"), "undeploy", Observation.ABSENT),
        (node("deleting"), "undeploy", Observation.IN_PROGRESS),
        (node("cleaning"), "undeploy", Observation.DONE),
        (node("available"), "remove", Observation.ABSENT),
        (None, "remove", Observation.DONE),
        (node("available", power="power on"), "power-off", Observation.ABSENT),
        (node("available"), "power-off", Observation.DONE),
    ],
)
def test_what_a_tray_shows_of_an_intent(state: Node | None, kind: str, observation: Observation) -> None:
    assert seen(state, kind, "d") is observation


def test_an_inspection_is_done_once_the_inventory_is_the_described_one() -> None:
    assert seen(node("manageable"), "inspect", "d", is_identified=True) is Observation.DONE


@pytest.mark.parametrize(
    ("state", "want", "steps"),
    [
        (node("active", deployment="new"), ACTIVE, ""),
        (None, ACTIVE, "enrol inspect clean deploy"),
        (None, SPARE, "enrol inspect clean"),
        (node("deploy failed", deployment="new"), ACTIVE, "deploy"),
        (node("active", deployment="old"), ACTIVE, "undeploy clean deploy"),
        (node("clean failed"), ACTIVE, "manage inspect clean deploy"),
        (node("active", deployment="new"), GONE, "undeploy clean remove"),
        (node("rescue"), ACTIVE, "stuck"),
    ],
)
def test_the_way_that_is_left(state: Node | None, want: Want, steps: str) -> None:
    assert way(state, want) == tuple(Step(step) for step in steps.split())
