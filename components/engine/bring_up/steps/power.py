"""One boot, so that settings take effect and are read back, and off again for Ironic."""

from __future__ import annotations

from components.engine.action import Observation
from components.engine.bring_up.hand import Hand
from components.engine.bring_up.steps.reset import reset
from components.engine.bring_up.steps.settings import look_at
from components.plan.actions.action import ActionKind
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.settings import digest_of, not_in_effect
from components.spec.catalogue.bring_up import Reset

ON, OFF = "On", "Off"
BOOTED = "OSRunning"


async def boot(hand: Hand) -> None:
    """Switch the host on unless every setting counts already."""
    digest = digest_of([{s.attribute: s.value for s in hand.profile.bios}, hand.profile.secure_boot])
    system = await hand.get(hand.profile.system)
    is_booted = system["PowerState"] == ON and system.get("BootProgress", {}).get("LastState") == BOOTED

    async def counts() -> bool:
        return not not_in_effect(hand.profile, await look_at(hand))

    async def observe() -> Observation:
        if await counts():
            return Observation.DONE
        if is_booted:  # it is through its boot, and the settings came later
            return Observation.ABSENT
        state = (await hand.get(hand.profile.system))["PowerState"]
        return Observation.ABSENT if state == OFF else Observation.IN_PROGRESS

    async def act() -> None:
        if is_booted:
            await reset(hand, Reset.HOST)
        else:
            await hand.bmc.post(f"{hand.profile.system}/Actions/ComputerSystem.Reset", {"ResetType": "On"})

    async def await_done() -> None:
        async def is_on() -> bool:
            return (await hand.get(hand.profile.system))["PowerState"] == ON

        await hand.until(is_on, cause=Cause.POWER_STUCK, detail="it does not come up", pause_s=3.0)
        await hand.until(counts, cause=Cause.SETTINGS_REFUSED, detail="settings do not count after the boot")

    kind = ActionKind.RESET_HOST if is_booted else ActionKind.POWER_ON
    await hand.perform(kind, digest, observe=observe, act=act, await_done=await_done)
    hand.evidence["secure_boot"] = hand.profile.secure_boot
    hand.evidence["bios"] = {s.attribute: s.value for s in hand.profile.bios}


async def power_off(hand: Hand) -> None:
    """Leave the host off."""

    async def state() -> str:
        return (await hand.get(hand.profile.system))["PowerState"]

    async def observe() -> Observation:
        found = await state()
        if found == OFF:
            return Observation.DONE
        return Observation.IN_PROGRESS if found == "PoweringOff" else Observation.ABSENT

    async def act() -> None:
        await hand.bmc.post(f"{hand.profile.system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"})

    async def await_done() -> None:
        async def is_off() -> bool:
            return await state() == OFF

        await hand.until(is_off, cause=Cause.POWER_STUCK, detail="it does not switch off", pause_s=3.0)

    await hand.perform(ActionKind.POWER_OFF, hand.work.serial, observe=observe, act=act, await_done=await_done)
