"""What undoes a change, and what nothing undoes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan.actions import ActionKind
from components.plan.consequences.effects import INTERRUPTING
from components.plan.consequences.impact import ServiceEffect, TenantEffect
from components.plan.consequences.model import (
    ActionGroup,
    CableGroup,
    CableWork,
    Danger,
    HandWork,
    RollbackStep,
)
from components.plan.consequences.words import hand_text
from components.words import count


def rollback(
    actions: Sequence[ActionGroup],
    hand_work: Sequence[HandWork],
    cables: Sequence[CableGroup],
    tenants: Sequence[TenantEffect],
    services: Sequence[ServiceEffect],
) -> tuple[RollbackStep, ...]:
    """What cannot be undone first."""
    steps = [*_actions(actions), *_hand(hand_work, cables), *_runtime(tenants, services)]
    return tuple(sorted(steps, key=lambda step: step.is_possible))


def _actions(groups: Sequence[ActionGroup]) -> Iterator[RollbackStep]:
    def number(*kinds: ActionKind, danger: Danger | None = None) -> int:
        return sum(g.count for g in groups if g.kind in kinds and danger in (None, g.danger))

    if hosts := number(ActionKind.UNDEPLOY, danger=Danger.HOST_LOST):
        yield RollbackStep(
            what=f"what is on the disks of {count(hosts, 'host', 'hosts')}",
            is_possible=False,
            how="it is gone with the wipe; move what must stay before the change",
        )
    if machines := number(ActionKind.CLEAN, danger=Danger.WIPED):
        which = count(machines, "machine that is not in service", "machines that are not in service")
        yield RollbackStep(what=f"what is on the disks of {which}", is_possible=False, how="it is gone with the wipe")
    if made := number(ActionKind.DEPLOY, ActionKind.UNDEPLOY, ActionKind.REMOVE, ActionKind.CLEAN):
        yield RollbackStep(
            what=f"{count(made, 'step', 'steps')} of deployment and removal",
            is_possible=True,
            how="apply the description of before: machines are enrolled and deployed again, which takes as long",
        )
    elif records := number(ActionKind.ENROL):
        yield RollbackStep(
            what=f"{count(records, 'record', 'records')} of Ironic",
            is_possible=True,
            how="apply the description of before",
        )
    if switches := number(ActionKind.CONFIGURE):
        yield RollbackStep(
            what=f"the configuration of {count(switches, 'switch', 'switches')}",
            is_possible=True,
            how="switches whose sessions do not come up take it back by themselves; later, apply the description of before",
        )
    yield from _runs(groups, number(ActionKind.RUN_PLAYBOOK))


def _runs(groups: Sequence[ActionGroup], runs: int) -> Iterator[RollbackStep]:
    if runs:
        how = "apply the description of before: the playbooks run again with it"
        yield RollbackStep(what=count(runs, "playbook run", "playbook runs"), is_possible=True, how=how)
    if any(INTERRUPTING["kubernetes"] in group.effects for group in groups):
        yield RollbackStep(
            what="a control plane of Kubernetes that was upgraded",
            is_possible=False,
            how="Kubernetes takes no older version; restore etcd from before, or go forward",
        )


def _hand(work: Sequence[HandWork], cables: Sequence[CableGroup]) -> Iterator[RollbackStep]:
    for each in work:
        yield RollbackStep(what=hand_text(each), is_possible=True, how="by hand, the same way back")
    if moved := sum(group.count for group in cables if group.work is not CableWork.ADD):
        yield RollbackStep(
            what=count(moved, "cable that is moved or taken out", "cables that are moved or taken out"),
            is_possible=True,
            how="by hand; label them before",
        )


def _runtime(tenants: Sequence[TenantEffect], services: Sequence[ServiceEffect]) -> Iterator[RollbackStep]:
    if gone := [t.namespace for t in tenants if t.change.startswith("gone")]:
        yield RollbackStep(
            what=f"what runs and is stored in namespace {', '.join(gone)}",
            is_possible=False,
            how="it is deleted with the namespace; a new one of the same name is empty",
        )
    if changed := [s.service for s in services if s.change]:
        yield RollbackStep(
            what=f"service {', '.join(changed)}", is_possible=True, how="apply the description of before"
        )
