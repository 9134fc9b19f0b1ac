"""From what Ironic shows of a tray to what is done next. Pure: a table and the questions around it.

Owns the reading of Ironic's provision states. Executing a step is tray.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from components.clients.ironic_model import Node
from components.engine.journal import Observation
from components.plan.actions.action import ActionKind

DEPLOYMENT = "gpuregion_deployment"
"""Key in Ironic's instance_info that holds the digest of the deployment. Ironic empties instance_info
when it tears an instance down, so the mark cannot outlive what it stands for."""
DEPLOYED = "gpuregion_deployed"
"""Key in Ironic's instance_info that holds the mark of one deployment: new at each, also of the same image.
Ironic's own times would not do: they change with a rescue, and are not kept with the instance."""
SERIAL = "gpuregion_serial"
"""Key in the node's extra: the serial number that it was enrolled for."""


class Goal(StrEnum):
    """What a tray shall be."""

    ACTIVE = "active"
    AVAILABLE = "available"
    GONE = "gone"


class Step(StrEnum):
    """What is done next."""

    DONE = "done"
    ENROL = "enrol"
    MANAGE = "manage"
    """Back to `manageable`, from where inspection and cleaning start."""
    INSPECT = "inspect"
    CLEAN = "clean"
    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"
    POWER_OFF = "power-off"
    REMOVE = "remove"
    STUCK = "stuck"
    """A state that nothing here makes: somebody else is at work on the tray."""


DESTRUCTIVE = frozenset({Step.CLEAN, Step.UNDEPLOY})
"""Steps that lose data or a running host. A deploy writes to a disk that was cleaned before."""


@dataclass(frozen=True, kw_only=True)
class Want:
    """A tray's goal and the deployment that it is about."""

    goal: Goal
    deployment: str = ""


VERIFYING = frozenset({"verifying"})
INSPECTING = frozenset({"inspecting", "inspect wait"})
CLEANING = frozenset({"cleaning", "clean wait"})
DEPLOYING = frozenset({"deploying", "wait call-back"})
DELETING = frozenset({"deleting"})
MOVING = VERIFYING | INSPECTING | CLEANING | DEPLOYING | DELETING
"""States that Ironic leaves by itself."""
WAITING = frozenset({"inspect wait", "clean wait", "wait call-back"})
"""States in which Ironic waits for the agent, and which may be given up."""
FAILED = frozenset({"inspect failed", "clean failed", "deploy failed", "error"})
HAS_INSTANCE = frozenset({"active", "deploy failed", "error"})

_UNDER_WAY = {
    **dict.fromkeys(VERIFYING, Step.ENROL),
    **dict.fromkeys(INSPECTING, Step.INSPECT),
    **dict.fromkeys(CLEANING, Step.CLEAN),
    **dict.fromkeys(DEPLOYING, Step.DEPLOY),
    **dict.fromkeys(DELETING, Step.UNDEPLOY),
}


def is_moving(node: Node | None) -> bool:
    """Whether Ironic is at work on it."""
    return node is not None and node.provision_state in MOVING


def is_for_another(node: Node | None, serial: str) -> bool:
    """Whether it stands for a machine that was in this place before."""
    return node is not None and node.extra.get(SERIAL, serial) != serial


def is_deployed(node: Node, deployment: str) -> bool:
    """Whether it runs, or is about to run, exactly this."""
    return node.instance_info.get(DEPLOYMENT, "") == deployment


def next_step(node: Node | None, want: Want, *, is_identified: bool) -> Step:
    """What brings the tray nearer to its goal; what is under way is always seen through first.

    `is_identified`: its inventory has the serial number and the MACs of the description.
    """
    if node is None:
        return Step.DONE if want.goal is Goal.GONE else Step.ENROL
    state = node.provision_state
    if state in _UNDER_WAY:
        return _UNDER_WAY[state]
    if want.goal is Goal.GONE:
        return _towards_gone(state)
    if state == "enroll":
        return Step.ENROL
    if state in ("inspect failed", "clean failed"):
        return Step.MANAGE
    if state == "manageable":
        return Step.CLEAN if is_identified else Step.INSPECT
    if state == "available":
        return _when_available(node, want, is_identified=is_identified)
    if state in HAS_INSTANCE:
        return _with_instance(node, want)
    return Step.STUCK


def _when_available(node: Node, want: Want, *, is_identified: bool) -> Step:
    if not is_identified:
        return Step.MANAGE
    if want.goal is Goal.ACTIVE:
        return Step.DEPLOY
    return Step.POWER_OFF if node.power_state == "power on" else Step.DONE


def _with_instance(node: Node, want: Want) -> Step:
    if want.goal is not Goal.ACTIVE or node.provision_state == "error":
        return Step.UNDEPLOY
    if node.provision_state == "deploy failed":
        return Step.DEPLOY  # Ironic takes a deploy from here; nothing of worth is on the disk
    return Step.DONE if is_deployed(node, want.deployment) else Step.UNDEPLOY


def _towards_gone(state: str) -> Step:
    if state in HAS_INSTANCE:
        return Step.UNDEPLOY
    if state in ("enroll", "manageable", "available"):
        return Step.REMOVE
    return Step.MANAGE if state in FAILED else Step.STUCK


def way(node: Node | None, want: Want) -> tuple[Step, ...]:
    """All steps from here to the goal, if each succeeds; for a preview."""
    steps: list[Step] = []
    is_identified = node is not None and node.provision_state in ("available", *HAS_INSTANCE)
    while len(steps) < _LONGEST_WAY:
        step = next_step(node, want, is_identified=is_identified)
        if step is Step.DONE:
            break
        steps.append(step)
        if step is Step.STUCK:
            break
        is_identified |= step is Step.INSPECT
        node = _after(step, node, want)
    return tuple(steps)


_LONGEST_WAY = 12
_AFTER = {
    Step.ENROL: "manageable",
    Step.MANAGE: "manageable",
    Step.INSPECT: "manageable",
    Step.CLEAN: "available",
    Step.DEPLOY: "active",
    Step.UNDEPLOY: "cleaning",
    Step.POWER_OFF: "available",
}


def _after(step: Step, node: Node | None, want: Want) -> Node | None:
    """The tray once the step has succeeded."""
    if step is Step.REMOVE:
        return None
    before = node or Node(uuid="", name="", provision_state="enroll")
    info = {DEPLOYMENT: want.deployment} if step is Step.DEPLOY else {}
    return replace(before, provision_state=_AFTER[step], power_state="power off", instance_info=info)


def seen(node: Node | None, kind: str, digest: str, *, is_identified: bool = False) -> Observation:
    """What the tray shows of an action that was meant, be it by this run or by one that was killed."""
    state = node.provision_state if node is not None else "absent"
    if kind == ActionKind.REMOVE:
        return Observation.DONE if node is None else Observation.ABSENT
    if kind == ActionKind.UNDEPLOY:
        return _observed(under_way=state in DELETING, done=state not in HAS_INSTANCE | DEPLOYING)
    if node is None:
        return Observation.ABSENT
    if kind == ActionKind.ENROL:
        return _observed(under_way=state in VERIFYING, done=state != "enroll")
    if kind == ActionKind.INSPECT:
        before = ("enroll", "verifying", "inspect failed") + (() if is_identified else ("manageable",))
        return _observed(under_way=state in INSPECTING, done=state not in before)
    if kind == ActionKind.CLEAN:
        before = ("enroll", "verifying", "manageable", "inspect failed", "clean failed", *INSPECTING)
        return _observed(under_way=state in CLEANING, done=state not in before)
    if kind == ActionKind.DEPLOY:
        is_ours = is_deployed(node, digest)
        return _observed(under_way=is_ours and state in DEPLOYING, done=is_ours and state == "active")
    return _observed(under_way=False, done=node.power_state == "power off")


def _observed(*, under_way: bool, done: bool) -> Observation:
    if under_way:
        return Observation.IN_PROGRESS
    return Observation.DONE if done else Observation.ABSENT
