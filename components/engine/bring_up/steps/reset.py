"""Starting an endpoint anew, in the ways that its kind has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.engine.bring_up.hand import Hand
from components.plan.actions.action import ActionKind
from components.spec.catalogue.bring_up import Reset

KINDS: Mapping[Reset, ActionKind] = MappingProxyType(
    {Reset.BMC: ActionKind.RESET_BMC, Reset.HOST: ActionKind.RESET_HOST, Reset.AUX: ActionKind.CYCLE_AUX}
)


async def reset(hand: Hand, by: Reset) -> None:
    """Ask for it; it takes effect while the endpoint does not answer."""
    profile = hand.profile
    match by:
        case Reset.BMC:
            await hand.bmc.post(f"{profile.manager}/Actions/Manager.Reset", {"ResetType": "ForceRestart"})
        case Reset.HOST:
            await hand.bmc.post(f"{profile.system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
        case Reset.AUX:
            await hand.bmc.post(profile.aux_cycle or "", {"ResetType": "AuxPowerCycle"})
