"""What machines do by themselves as time goes: tasks end, hosts boot, power is lost and comes back.

Nothing runs in the background. The state of an endpoint is brought up to date when somebody looks at it, so that
17,750 endpoints that nobody asks cost nothing.
"""

from __future__ import annotations

from lab.fleet.hardware.model import Activation, Hardware
from lab.fleet.scenario import Outage
from lab.fleet.state import End, State, Task


def is_dark(outages: tuple[Outage, ...], now: float) -> bool:
    """Whether a rack has no power."""
    return any(o.at_s <= now < o.at_s + o.for_s for o in outages)


def settle(state: State, hardware: Hardware, outages: tuple[Outage, ...], now: float, back_s: float) -> None:
    """Bring a state up to `now`; `back_s` is how long the BMC takes to come back after a loss of power."""
    for outage in outages:
        end = outage.at_s + outage.for_s
        if state.seen_outage < end <= now:
            _settle_tasks(state, outage.at_s)
            lose_power(state, hardware, outage.at_s, end, back_s)
            state.seen_outage = end
    _settle_tasks(state, now)


def progress(task: Task, now: float, stuck_percent: int) -> tuple[str, int]:
    """A task's TaskState and PercentComplete."""
    if task.ended is not None and now >= task.ended:
        return "Exception", _percent(task, task.ended, stuck_percent)
    if now < task.began + task.pending_s:
        return "Pending", 0
    if task.end is End.STUCK or now < _due(task):
        return "Running", _percent(task, now, stuck_percent)
    return ("Completed", 100) if task.end is End.COMPLETED else ("Exception", 60)


def is_running(task: Task, now: float) -> bool:
    return (task.ended is None or now < task.ended) and (task.end is End.STUCK or now < _due(task))


def boot(state: State, hardware: Hardware, now: float) -> None:
    """The host comes up: what waited for that takes effect, and a one-time override is used up."""
    state.booted_at = now
    state.bios.update(state.bios_pending)
    state.bios_pending = {}
    if state.secure_boot_pending is not None:
        state.secure_boot, state.secure_boot_pending = state.secure_boot_pending, None
    if state.boot.pending_order is not None:
        state.boot.order, state.boot.pending_order = state.boot.pending_order, None
    if state.boot.enabled == "Once":
        state.boot.target, state.boot.enabled = "None", "Disabled"
    activate(state, hardware, Activation.HOST)


def activate(state: State, hardware: Hardware, *how: Activation) -> None:
    """Run the pushed versions of all components that `how` is enough for."""
    for component in hardware.components:
        if component.activation in how and component.id in state.staged:
            state.firmware[component.id] = state.staged.pop(component.id)


def restart_bmc(state: State, hardware: Hardware, now: float, back_s: float) -> None:
    """The BMC starts anew: sessions and running tasks are gone, and it is away for a while."""
    _settle_tasks(state, now)
    for task in state.tasks.values():
        if is_running(task, now):
            task.ended = now
            task.is_settled = True
    state.sessions.clear()
    state.unreachable_until = now + back_s
    activate(state, hardware, Activation.BMC)


def lose_power(state: State, hardware: Hardware, at: float, back_at: float, back_s: float) -> None:
    """All power is gone from `at` to `back_at`: the BMC starts anew, the host as its policy says."""
    restart_bmc(state, hardware, at, back_at - at + back_s)
    activate(state, hardware, *Activation)
    state.on = state.policy == "AlwaysOn" or (state.policy == "LastState" and state.on)
    state.changing_until = back_at
    if state.on:
        boot(state, hardware, back_at)


def _settle_tasks(state: State, now: float) -> None:
    for task in state.tasks.values():
        if not task.is_settled and not is_running(task, now):
            task.is_settled = True
            if task.ended is None and task.end is End.COMPLETED:
                state.staged.update(task.versions)


def _due(task: Task) -> float:
    return task.began + task.pending_s + task.running_s


def _percent(task: Task, now: float, stuck_percent: int) -> int:
    done = (now - task.began - task.pending_s) / task.running_s if task.running_s else 1.0
    most = stuck_percent if task.end is End.STUCK else 60 if task.end is End.EXCEPTION else 99
    return min(max(0, int(done * 100)), most)
