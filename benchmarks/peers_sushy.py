"""Racks brought up by plain sushy in threads, as an able operator writes it: what benchmarks.fleet_peers compares with.

Kind by kind within a rack, racks side by side, the endpoints of a stage side by side as far as there are threads. It
reads the same catalogue as the engine, looks before it acts, gives each step its limit, keeps the new passwords in a
file before they are set, and goes through what failed a second time. `peers_sushy_machine` has the steps.

Left out, as scripts leave it out: a journal of what was begun, so a request whose answer is lost is sent again by
sushy and what was pushed before a failure is pushed again; budgets of endpoints that are away and of kW on a feed;
known-good actions; telling a rack that is usable from one that is not; going on after a kill.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from sushy.exceptions import SushyError

from benchmarks.peers_sushy_machine import Machine, Script, StepFailedError
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.firmware import Endpoint

ORDER = ((Endpoint.POWER_SHELF,), (Endpoint.NVLINK_SWITCH, Endpoint.DPU), (Endpoint.COMPUTE_TRAY,))
"""Stages of a rack."""
PASSES = 2


def bring_up(script: Script, threads: int) -> tuple[int, dict[str, str]]:
    """How many endpoints failed in the first pass, and those that failed in the last, with the reason."""
    todo = {endpoint.name for rack in script.plan.racks for endpoint in rack.endpoints}
    first: int | None = None
    failed: dict[str, str] = {}
    for _ in range(PASSES):
        failed = _pass(script, threads, todo)
        first = len(failed) if first is None else first
        todo = set(failed)
        if not todo:
            break
    return first or 0, failed


def _pass(script: Script, threads: int, todo: set[str]) -> dict[str, str]:
    racks = script.plan.racks
    with ThreadPoolExecutor(threads) as pool, ThreadPoolExecutor(len(racks)) as leaders:
        running = [leaders.submit(_rack, script, pool, rack, todo) for rack in racks]
    return {name: reason for each in running for name, reason in each.result().items()}


def _rack(script: Script, pool: ThreadPoolExecutor, rack: RackWork, todo: set[str]) -> dict[str, str]:
    """A rack's stages one after the other; nobody waits for the success of a stage, only for its end."""
    failed: dict[str, str] = {}
    for kinds in ORDER:
        stage = [e for e in rack.endpoints if e.kind in kinds and e.name in todo]
        running: dict[str, Future[str]] = {e.name: pool.submit(_one, script, e) for e in stage}
        failed |= {name: reason for name, each in running.items() if (reason := each.result())}
    return failed


def _one(script: Script, work: EndpointWork) -> str:
    """All steps of an endpoint; the reason if it did not get through."""
    machine = Machine(script, work)
    for step in machine.profile.steps:
        act = machine.steps.get(step.step)
        try:
            if act is not None:
                act(machine.limit_s(step.limit_s))
        except (SushyError, StepFailedError) as error:
            return f"{step.step}: {type(error).__name__}: {error}"
    return ""
