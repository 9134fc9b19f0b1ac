"""Switching hosts on and off, and cycling a tray's auxiliary power."""

from __future__ import annotations

from lab.fleet.accounts import require_administrator
from lab.fleet.answers import NO_CONTENT, Answer, Message, bad_value, missing, refuse
from lab.fleet.call import Call
from lab.fleet.hardware.model import Computer
from lab.fleet.lifecycle import boot, lose_power
from lab.fleet.resources.tree import Act
from lab.fleet.state import Deed

RESETS = ("On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "PowerCycle")
POLICIES = ("AlwaysOn", "AlwaysOff", "LastState")
AUX_CYCLE = "Actions/Oem/NvidiaChassis.AuxPowerReset"


def power_state(call: Call) -> str:
    """Redfish's PowerState."""
    if call.now < call.state.changing_until:
        return "PoweringOn" if call.state.on else "PoweringOff"
    return "On" if call.state.on else "Off"


def patches(computer: Computer) -> dict[str, Act]:
    """What can be set on a system itself."""
    return {"PATCH": _set_policy} if computer.resets else {}


def reset(call: Call) -> Answer:
    """ComputerSystem.Reset. What is so already is left as it is, and not counted."""
    require_administrator(call)
    sort = _parameter(call, RESETS)
    state, durations = call.state, call.durations
    wants_on = sort not in ("ForceOff", "GracefulShutdown")
    is_restart = sort in ("GracefulRestart", "ForceRestart", "PowerCycle")
    if state.on == wants_on and not is_restart:
        return NO_CONTENT
    took = 0.0
    if state.on:
        took += call.takes("power_off", durations.power_off.spread) * (0.1 if sort.startswith("Force") else 1)
    was_on, state.on = state.on, wants_on
    if wants_on:
        took += call.takes("power_on", durations.power_on.spread)
        boot(state, call.hardware, call.now + took)
    state.changing_until = call.now + took
    call.record(Deed.POWER_CYCLE if was_on and wants_on else Deed.POWER_ON if wants_on else Deed.POWER_OFF, sort)
    return NO_CONTENT


def cycle_aux(call: Call) -> Answer:
    """NvidiaChassis.AuxPowerReset: all of the tray loses power, its BMC too."""
    require_administrator(call)
    _parameter(call, ("AuxPowerCycle", "AuxPowerCycleForce"))
    call.record(Deed.AUX_CYCLE)
    lose_power(call.state, call.hardware, call.now, call.now, call.takes("aux_cycle", call.durations.aux_cycle.spread))
    return NO_CONTENT


def _set_policy(call: Call) -> Answer:
    require_administrator(call)
    call.state.policy = call.required(PowerRestorePolicy=POLICIES)["PowerRestorePolicy"]
    call.changed = True
    return NO_CONTENT


def _parameter(call: Call, allowed: tuple[str, ...]) -> str:
    """ResetType."""
    asked = call.json()
    if others := set(asked) - {"ResetType"}:
        name = min(others)
        text = f"The action was submitted with the invalid parameter '{name}'."
        raise refuse(400, Message("ActionParameterUnknown", text, (call.path.rpartition("/")[2], name)))
    if "ResetType" not in asked:
        raise missing("ResetType")
    if asked["ResetType"] not in allowed:
        raise refuse(400, bad_value(asked["ResetType"], "ResetType", " or ".join(allowed)))
    return asked["ResetType"]
