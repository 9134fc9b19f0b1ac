"""Racks brought up by plain sushy in threads, as an able operator writes it: what benchmarks.fleet_peers compares with.

Racks side by side, and in a rack either kind by kind, or each step once what the catalogue has it wait for has ended; as
far as there are threads. It reads the same catalogue as the engine, looks before it acts, gives each step its limit, keeps the new passwords in a
file before they are set, and goes through what failed a second time. `peers_sushy_machine` has the steps.

Left out, as scripts leave it out: a journal of what was begun, so a request whose answer is lost is sent again by
sushy and what was pushed before a failure is pushed again; budgets of endpoints that are away and of kW on a feed;
known-good actions; telling a rack that is usable from one that is not; going on after a kill.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock

from sushy.exceptions import SushyError

from benchmarks.peers_sushy_machine import Machine, Script, StepFailedError
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.bring_up import After
from components.spec.catalogue.firmware import Endpoint

STAGES = ((Endpoint.POWER_SHELF,), (Endpoint.NVLINK_SWITCH, Endpoint.DPU), (Endpoint.COMPUTE_TRAY,))
"""Of a rack, kind by kind."""
PASSES = 2


class Turns:
    """Who waits for whom in a rack by the catalogue: a thread waits, so those that it waits for must have begun."""

    def __init__(self, endpoints: Sequence[EndpointWork]) -> None:
        self._left = Counter((e.kind, slot) for e in endpoints for slot in {"", e.tray})
        self._ended = {each: Event() for each in self._left}
        self._lock = Lock()

    def wait(self, after: Sequence[After], slot: str) -> None:
        """Until all of them have ended, however."""
        for each in after:
            if event := self._ended.get((each.kind, "" if each.within == "rack" else slot)):
                event.wait()

    def end(self, work: EndpointWork) -> None:
        """This one has."""
        with self._lock:
            for slot in {"", work.tray}:
                self._left[work.kind, slot] -= 1
                if not self._left[work.kind, slot]:
                    self._ended[work.kind, slot].set()


def bring_up(script: Script, threads: int, *, by_kind: bool = True) -> tuple[int, dict[str, str]]:
    """How many endpoints failed in the first pass, and those that failed in the last, with the reason."""
    todo = {endpoint.name for rack in script.plan.racks for endpoint in rack.endpoints}
    first: int | None = None
    failed: dict[str, str] = {}
    for _ in range(PASSES):
        failed = (_kind_by_kind if by_kind else _side_by_side)(script, threads, todo)
        first = len(failed) if first is None else first
        todo = set(failed)
        if not todo:
            break
    return first or 0, failed


def _kind_by_kind(script: Script, threads: int, todo: set[str]) -> dict[str, str]:
    racks = script.plan.racks
    with ThreadPoolExecutor(threads) as pool, ThreadPoolExecutor(len(racks)) as leaders:
        running = [leaders.submit(_rack, script, pool, rack, todo) for rack in racks]
    return {name: reason for each in running for name, reason in each.result().items()}


def _rack(script: Script, pool: ThreadPoolExecutor, rack: RackWork, todo: set[str]) -> dict[str, str]:
    """A rack's stages one after the other; nobody waits for the success of a stage, only for its end."""
    failed: dict[str, str] = {}
    for kinds in STAGES:
        stage = [e for e in rack.endpoints if e.kind in kinds and e.name in todo]
        running: dict[str, Future[str]] = {e.name: pool.submit(_one, script, e) for e in stage}
        failed |= {name: reason for name, each in running.items() if (reason := each.result())}
    return failed


def _side_by_side(script: Script, threads: int, todo: set[str]) -> dict[str, str]:
    """The pool takes them in this order, so nobody waits for one that has no thread yet."""
    running: dict[str, Future[str]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for rack in script.plan.racks:
            endpoints = [e for e in rack.endpoints if e.name in todo]
            turns = Turns(endpoints)
            for kind in (kind for stage in STAGES for kind in stage):
                running |= {e.name: pool.submit(_one, script, e, turns) for e in endpoints if e.kind is kind}
    return {name: reason for name, each in running.items() if (reason := each.result())}


def _one(script: Script, work: EndpointWork, turns: Turns | None = None) -> str:
    """All steps of an endpoint; the reason if it did not get through."""
    machine = Machine(script, work)
    try:
        for step in machine.profile.steps:
            if turns is not None:
                turns.wait(step.after, work.tray)
            if act := machine.steps.get(step.step):
                try:
                    act(machine.limit_s(step.limit_s))
                except (SushyError, StepFailedError) as error:
                    return f"{step.step}: {type(error).__name__}: {error}"
    finally:
        if turns is not None:
            turns.end(work)
    return ""
