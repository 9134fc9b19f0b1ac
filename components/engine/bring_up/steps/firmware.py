"""The locked bundle: pushed, waited for, activated, verified."""

from __future__ import annotations

import asyncio

from components.engine.action import Observation
from components.engine.bring_up.bmc import RefusedError
from components.engine.bring_up.hand import SETTLES_S, Hand
from components.engine.bring_up.steps.reset import KINDS, reset
from components.plan.actions.action import ActionKind
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.firmware import (
    Flash,
    FlashState,
    TaskSeen,
    digest_of,
    judge,
    next_look_s,
    read_inventory,
    read_task,
)
from components.spec.catalogue.bring_up import Reset

INVENTORY = "UpdateService/FirmwareInventory"
PUSH = "UpdateService/update-multipart"
TASKS = "TaskService/Tasks"


async def flash(hand: Hand) -> None:
    """Push the bundle's package for this kind and wait for its task."""
    wanted = _wanted(hand)
    task = ""

    async def observe() -> Observation:
        nonlocal task
        seen = await look_at(hand)
        task = seen.task.path if seen.task else ""
        if seen.state in (FlashState.RUNS, FlashState.WRITTEN):
            return Observation.DONE
        return Observation.IN_PROGRESS if seen.state is FlashState.RUNNING else Observation.ABSENT

    async def act() -> None:
        nonlocal task
        task = await hand.bmc.push(PUSH, hand.services.packages[hand.work.kind])

    await hand.perform(
        ActionKind.FLASH, digest_of(wanted), observe=observe, act=act, await_done=lambda: _ended(hand, task)
    )


async def activate(hand: Hand) -> None:
    """Make what was pushed run, by the resets that its components need, in their order."""
    wanted = _wanted(hand)
    for activation in hand.profile.activations:
        await _activate(hand, activation.by, {c: wanted[c] for c in activation.components if c in wanted})


async def _activate(hand: Hand, by: Reset, versions: dict[str, str]) -> None:
    async def runs() -> bool:
        inventory = read_inventory(await hand.get(INVENTORY, expand=True))
        return all(inventory.get(c) == v for c, v in versions.items())

    async def observe() -> Observation:
        return Observation.DONE if await runs() else Observation.ABSENT

    async def act() -> None:
        await reset(hand, by)

    async def await_done() -> None:
        await hand.until(runs, cause=Cause.FIRMWARE_WRONG, detail="what was pushed does not run after its reset")

    await hand.perform(
        KINDS[by], digest_of(versions), observe=observe, act=act, await_done=await_done, settles_s=SETTLES_S
    )


async def verify(hand: Hand) -> None:
    """Every component of the bundle runs its version."""
    seen = await look_at(hand)
    if seen.state is not FlashState.RUNS:
        raise hand.fail(Cause.FIRMWARE_WRONG, f"other versions than the bundle's run in {', '.join(seen.missing)}")
    hand.evidence["firmware"] = dict(sorted(_wanted(hand).items()))


async def look_at(hand: Hand) -> Flash:
    """Where the bundle stands."""
    wanted = _wanted(hand)
    inventory = read_inventory(await hand.get(INVENTORY, expand=True))
    if all(inventory.get(c) == v for c, v in wanted.items()):
        return Flash(state=FlashState.RUNS)
    tasks = (await hand.get(TASKS, expand=True))["Members"]
    return judge(wanted, inventory, [read_task(t, wanted) for t in tasks])


def _wanted(hand: Hand) -> dict[str, str]:
    return dict(hand.services.plan.baseline.versions(hand.work.kind))


async def _ended(hand: Hand, path: str) -> None:
    """Follow a task to its end, the closer the nearer that is; raises where it stands still or ends badly."""
    polling, compression = hand.services.plan.bring_up.polling, hand.services.tempo.compression
    wanted, loop = _wanted(hand), asyncio.get_running_loop()
    began, percent, still_s, looks = loop.time(), -1, 0.0, 0
    while (task := await _task(hand, path, wanted)).is_running:
        if task.percent != percent:
            percent, still_s = task.percent, 0.0
        looks += 1
        if still_s >= polling.stall_s or hand.is_over(looks):
            raise hand.fail(Cause.FIRMWARE_STUCK, f"the update stands at {percent} %", is_remediable=True)
        elapsed_s = (loop.time() - began) * compression
        pause_s = next_look_s(percent, elapsed_s, least_s=polling.least_s, most_s=polling.most_s)
        await hand.rest(pause_s)
        still_s += pause_s
    if task.state != "Completed":
        raise hand.fail(Cause.FIRMWARE_FAILED, f"the update ended as {task.state}", is_remediable=True)


async def _task(hand: Hand, path: str, wanted: dict[str, str]) -> TaskSeen:
    try:
        return read_task(await hand.get(path), wanted)
    except RefusedError as error:
        if error.status == 404:
            raise hand.fail(Cause.FIRMWARE_FAILED, "the BMC has forgotten the update", is_remediable=True) from error
        raise
