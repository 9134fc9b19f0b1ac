"""Settings of hosts and DPUs: what is not as wanted is set, and waits for the next boot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from components.engine.action import Observation
from components.engine.bring_up.hand import Hand
from components.plan.actions.action import ActionKind
from components.plan.bring_up.settings import SettingsPatch, SettingsSeen, digest_of, patch_for, read_settings


async def configure(hand: Hand) -> None:
    """Mode of a DPU; Secure Boot, boot order and BIOS of a host."""
    if hand.profile.mode:
        await _set_mode(hand, hand.profile.mode)
    if not hand.profile.bios and hand.profile.secure_boot is None and hand.profile.boot_first is None:
        return
    profile, system = hand.profile, hand.profile.system
    seen: SettingsSeen | None = None

    async def patch() -> SettingsPatch:
        nonlocal seen
        if seen is None:
            seen = await look_at(hand)
        return patch_for(profile, seen)

    def sending(path: str, body: Callable[[SettingsPatch], dict[str, object]]) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            nonlocal seen
            wanted = await patch()
            seen = None  # whatever comes of it, the next look is at the device
            await hand.bmc.patch(path, body(wanted))

        return act

    async def secure_boot_is_set() -> Observation:
        return Observation.DONE if (await patch()).secure_boot is None else Observation.ABSENT

    async def order_is_set() -> Observation:
        return Observation.DONE if (await patch()).order is None else Observation.ABSENT

    async def bios_is_set() -> Observation:
        return Observation.DONE if not (await patch()).bios else Observation.ABSENT

    await hand.perform(
        ActionKind.SET_SECURE_BOOT,
        digest_of(profile.secure_boot),
        observe=secure_boot_is_set,
        act=sending(f"{system}/SecureBoot", lambda p: {"SecureBootEnable": p.secure_boot}),
    )
    await hand.perform(
        ActionKind.SET_BOOT_ORDER,
        digest_of(profile.boot_first),
        observe=order_is_set,
        act=sending(f"{system}/Settings", lambda p: {"Boot": {"BootOrder": list(p.order or ())}}),
    )
    await hand.perform(
        ActionKind.SET_BIOS,
        digest_of({s.attribute: s.value for s in profile.bios}),
        observe=bios_is_set,
        act=sending(f"{system}/Bios/Settings", lambda p: {"Attributes": dict(p.bios)}),
    )


async def look_at(hand: Hand) -> SettingsSeen:
    """What is set, and what waits for the boot."""
    system = hand.profile.system
    return read_settings(
        bios=await hand.get(f"{system}/Bios"),
        bios_pending=await hand.get(f"{system}/Bios/Settings"),
        secure_boot=await hand.get(f"{system}/SecureBoot"),
        system=await hand.get(system),
        system_pending=await hand.get(f"{system}/Settings"),
        options=(await hand.get(f"{system}/BootOptions", expand=True))["Members"],
    )


async def _set_mode(hand: Hand, path: str) -> None:
    wanted = hand.profile.wanted_mode

    async def observe() -> Observation:
        return Observation.DONE if (await hand.get(path)).get("Mode") == wanted else Observation.ABSENT

    async def act() -> None:
        await hand.bmc.post(f"{path}/Actions/Mode.Set", {"Mode": wanted})

    await hand.perform(ActionKind.SET_MODE, str(wanted), observe=observe, act=act)
