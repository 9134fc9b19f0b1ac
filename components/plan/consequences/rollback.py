"""What undoes a change, and what nothing undoes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan.actions import ActionKind
from components.plan.consequences.model import (
    ActionGroup,
    CableGroup,
    CableWork,
    Danger,
    HandWork,
    RollbackStep,
    ServiceEffect,
    TenantEffect,
)


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
    def count(*kinds: ActionKind, danger: Danger | None = None) -> int:
        return sum(g.count for g in groups if g.kind in kinds and danger in (None, g.danger))

    if hosts := count(ActionKind.UNDEPLOY, danger=Danger.HOST_LOST):
        yield RollbackStep(
            what=f"what is on the disks of {hosts} hosts",
            is_possible=False,
            how="it is gone with the wipe; move what must stay before the change",
        )
    if machines := count(ActionKind.CLEAN, danger=Danger.WIPED):
        yield RollbackStep(
            what=f"what is on the disks of {machines} machines that are not in service",
            is_possible=False,
            how="it is gone with the wipe",
        )
    if deploys := count(ActionKind.DEPLOY, ActionKind.UNDEPLOY, ActionKind.ENROL, ActionKind.REMOVE):
        yield RollbackStep(
            what=f"{deploys} steps of enrolment and deployment",
            is_possible=True,
            how="apply the description of before: machines are enrolled and deployed again, which takes as long",
        )
    if switches := count(ActionKind.CONFIGURE):
        yield RollbackStep(
            what=f"the configuration of {switches} switches",
            is_possible=True,
            how="switches whose sessions do not come up take it back by themselves; later, apply the description of before",
        )
    if runs := count(ActionKind.RUN_PLAYBOOK):
        yield RollbackStep(
            what=f"{runs} playbook runs",
            is_possible=True,
            how="apply the description of before; packages go back to their version, a newer Kubernetes control plane does not",
        )


def _hand(work: Sequence[HandWork], cables: Sequence[CableGroup]) -> Iterator[RollbackStep]:
    for each in work:
        yield RollbackStep(what=f"{each.what}, {each.count} times", is_possible=True, how="by hand, the same way back")
    if moved := sum(group.count for group in cables if group.work is not CableWork.ADD):
        yield RollbackStep(
            what=f"{moved} cables that are moved or taken out", is_possible=True, how="by hand; label them before"
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
