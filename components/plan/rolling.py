"""How a new version of a service replaces the one before it, where both are one Deployment.

Owns the decision. Kubernetes ends no old replica before a new one runs; a service that sleeps has no old one, so it is
woken before it is changed, and sleeps again once its new version runs. Nothing is remembered but what stands in the
cluster, so a run that was killed goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.plan.rollout import FATAL_WAITS, START_LIMIT_S, is_staged
from components.plan.tenants import ServicePlan
from components.spec.rollout import Strategy
from components.spec.service import Kind

WAKE_LIMIT_S = 120
"""Seconds that the version before may take to wake. It ran before: one that takes longer is nothing to keep."""


def is_rolled(plan: ServicePlan) -> bool:
    """Whether old replicas of a service answer until new ones do."""
    return plan.kind is not Kind.JOB and plan.rollout.strategy is not Strategy.IMMEDIATE and not is_staged(plan)


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What stands in the cluster of one service that is rolled."""

    version: str
    """Of the pods that its Deployment makes; empty for one of an earlier toolkit, which did not say."""
    replicas: int
    """How many it should have."""
    ready: int = 0
    """Of any version."""
    is_through: bool = False
    """Whether all that it should have are of the version, and have been ready for long enough."""
    is_late: bool = False
    """Whether Kubernetes has given the version up as one that does not start."""
    waits: tuple[str, ...] = ()
    """What the kubelet says of containers of the version that do not run."""
    held_s: float | None = None
    """Seconds since it is held awake for its change; None while it is not."""
    is_scaled_by_hand: bool = False
    """Whether somebody holds it at a number of replicas."""


class Roll(StrEnum):
    """What is to be done next."""

    NOTHING = "nothing"
    WAIT = "wait"
    HOLD_AWAKE = "hold awake"
    """Wake the version before, and keep it awake."""
    RELEASE = "let it sleep again"
    REFUSE = "refuse"
    """The version does not start; the one before answers."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One step, and why."""

    do: Roll
    why: str


def before(wanted: str, seen: Rolled) -> Turn:
    """What must be done before a Deployment is given the version `wanted`."""
    if seen.version == wanted:
        return Turn(do=Roll.NOTHING, why=f"{wanted} stands")
    if seen.held_s is not None:
        if seen.ready:
            return Turn(do=Roll.NOTHING, why="the version before is awake")
        if seen.held_s > WAKE_LIMIT_S or any(wait in FATAL_WAITS for wait in seen.waits):
            return Turn(do=Roll.RELEASE, why="the version before does not wake either: there is nothing to keep")
        return Turn(do=Roll.WAIT, why="the version before wakes, to answer until the new one does")
    if seen.replicas or seen.is_scaled_by_hand:
        return Turn(do=Roll.NOTHING, why="its replicas are kept until new ones run")
    return Turn(do=Roll.HOLD_AWAKE, why="it sleeps, and the new version is not known to run")


def after(wanted: str, seen: Rolled) -> Turn:
    """What must be done once a Deployment has been given the version `wanted`."""
    if seen.version != wanted:
        return Turn(do=Roll.NOTHING, why="it was not changed")
    if seen.is_through and (seen.replicas or seen.held_s is None):
        is_held = seen.held_s is not None
        return Turn(
            do=Roll.RELEASE if is_held else Roll.NOTHING, why=f"{wanted} runs" if seen.replicas else "it sleeps"
        )
    if not seen.replicas and (seen.held_s or 0) > WAKE_LIMIT_S + START_LIMIT_S:
        return Turn(do=Roll.REFUSE, why="KEDA does not wake it")
    if fatal := next((wait for wait in seen.waits if wait in FATAL_WAITS), ""):
        return Turn(do=Roll.REFUSE, why=f"it does not start: {fatal}")
    if seen.is_late:
        return Turn(do=Roll.REFUSE, why=f"no replica was ready within {START_LIMIT_S} s")
    return Turn(do=Roll.WAIT, why=f"{wanted} starts, the version before answers")
