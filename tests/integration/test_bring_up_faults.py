"""Bring-up on a fleet that misbehaves: what can be done is done, once; what cannot is isolated and stops nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import ssl
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.clients.bmc.redfish import BmcClients
from components.clients.bmc.supplier import read_supplier
from components.engine.bring_up.event import Observer, StepEvent, StepOutcome
from components.engine.bring_up.result import RackEnd, Result
from components.engine.journal import JournalError
from components.engine.lock import RunInProgressError
from components.engine.pace import Pace
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.compile import compile_bring_up
from lab.fleet.store import Store
from stacks.bring_up import bring_up_region
from tests.bring_up_once import assert_everything_happened_once, kind_of
from tests.bring_up_world import Told, World, calm, world

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

LAST = {"power_shelf": "verify", "nvlink_switch": "verify", "dpu": "configure", "compute_tray": "power-off"}
"""Kind -> its last step before the rack's hand-over."""
LIVES = ("slow", "flapping", "errors", "dropped", "answer_lost", "stuck_task", "failed_task")
"""Faults that a bring-up gets through."""


async def run_async(there: World, observe: Observer, answer_s: float = 10) -> Result:
    return await bring_up_region(
        there.region, files=there.files, observe=observe, compression=there.compression, answer_s=answer_s
    )


def run(there: World, observe: Observer, answer_s: float = 10) -> Result:
    return asyncio.run(run_async(there, observe, answer_s))


def share(fault: str, **more: Any) -> dict[str, Any]:
    return {"fault": fault, "share": 0.01, **more}


EVERY_FAULT = [
    share("slow", factor=10),
    share("flapping", up_requests=50, down_requests=10),
    share("errors", rate=0.2, statuses=[500, 503]),
    share("dropped", rate=0.1),
    share("answer_lost", rate=0.1),
    share("stuck_task", times=1),
    share("failed_task", times=1),
    share("wrong_serial"),
    share("wrong_password"),
    share("dead", by="silence", after_requests=12),
    share("leak", of=["compute_tray", "nvlink_switch"]),
]


def assert_faults_are_survived(folder: Path, racks: int) -> None:
    scenario = calm(time={"compression": 1200}, faults=EVERY_FAULT)
    with world(folder, racks, scenario) as there:
        told = Told()
        result = run(there, told, answer_s=8)
        hit = there.hit()
        fatal = {name for fault, names in hit.items() if fault not in LIVES for name in names}
        isolated = {e.endpoint: e for e in told.events if e.outcome is StepOutcome.ISOLATED and e.cause != "depends"}
        assert set(isolated) == fatal, "exactly those that cannot be brought up are isolated"
        done = {(e.endpoint, e.step) for e in told.events if e.outcome in (StepOutcome.DONE, StepOutcome.OBSERVED)}
        missing = [name for name in there.endpoints if name not in fatal and (name, LAST[kind_of(name)]) not in done]
        assert not missing, "all others are through their steps"
        by_cause = {group.cause: set(group.endpoints) for group in result.by_cause()}
        assert by_cause[Cause.SERIAL_MISMATCH] == hit["wrong_serial"] - hit["wrong_password"] - hit["dead"]
        assert by_cause[Cause.PASSWORD_REFUSED] <= hit["wrong_password"]
        remedied = {e.endpoint for e in told.events if e.outcome is StepOutcome.REMEDIED}
        assert (hit["stuck_task"] | hit["failed_task"]) - fatal <= remedied
        assert there.totals()["peak_in_flight"] <= 4
        twice = {name for name, did in there.ledger().items() if did.get("password_change", 0) > 1}
        assert not twice, "a password is changed once, whatever becomes of the answer"
        budget = {"flash": 2, "bmc_reset": 2, "aux_cycle": 1, "power_on": 1, "power_off": 1, "bios_set": 1}
        for name, did in there.ledger().items():
            for deed, most in budget.items():
                per_push = {"power_shelf": 2, "nvlink_switch": 6, "dpu": 4, "compute_tray": 11}[kind_of(name)]
                unit = per_push if deed == "flash" else 4 if deed == "bios_set" else 1
                assert did.get(deed, 0) <= most * unit, f"{name}: {deed} {did[deed]} times"
        there.stop()
        store = Store(there.folder / "state")
        locked = [name for name, state in store.states() for a in state.accounts.values() if a.locked_until]
        store.close()
        assert not locked, "no account was locked by wrong passwords"


def test_a_hundredth_of_the_endpoints_faulty_in_each_way_stops_none_of_the_others(tmp_path: Path) -> None:
    assert_faults_are_survived(tmp_path, 3)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_the_same_at_20_racks(tmp_path: Path) -> None:
    assert_faults_are_survived(tmp_path, 20)


@pytest.mark.nightly
def test_a_rack_that_loses_power_in_the_middle_is_brought_up_when_it_is_back(tmp_path: Path) -> None:
    outage = {"rack": "ess-r001", "at_s": 4000.0, "for_s": 600.0}
    with world(tmp_path, 1, calm(rack_power_losses=[outage])) as there:
        told = Told()
        result = run(there, told)
        assert result.by_end()[RackEnd.HANDED_OVER] == 1
        assert not told.causes()


def test_a_simulator_that_is_killed_and_started_again_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    with world(tmp_path, 1) as there:
        count = 0

        def again() -> None:
            there.stop(signal.SIGKILL)
            there.start()

        def observe(event: StepEvent) -> None:
            nonlocal count
            count += event.outcome is StepOutcome.DONE
            if count == 150 and event.outcome is StepOutcome.DONE:
                threading.Thread(target=again).start()

        assert run(there, observe).by_end()[RackEnd.HANDED_OVER] == 1
        assert_everything_happened_once(there)


def test_a_second_run_on_the_same_region_is_refused_with_the_holder_s_name(tmp_path: Path) -> None:
    with world(tmp_path, 1) as there:

        async def both() -> Result:
            begun = asyncio.Event()
            first = asyncio.create_task(run_async(there, lambda _: begun.set()))
            await begun.wait()
            with pytest.raises(RunInProgressError) as refused:
                # The lock waits in its own way, as it would in another process.
                await asyncio.to_thread(run, there, Told())
            (problem,) = refused.value.problems
            assert f"process {os.getpid()}, started " in str(problem.found)
            return await first

        assert asyncio.run(both()).by_end()[RackEnd.HANDED_OVER] == 1
        assert_everything_happened_once(there)


def test_on_a_full_disk_nothing_more_is_begun_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, 1) as there:
        true, count = os.statvfs, 0

        def observe(event: StepEvent) -> None:
            nonlocal count
            count += event.outcome is StepOutcome.DONE
            if count >= 200:
                little = SimpleNamespace(f_bavail=100, f_frsize=4096)
                monkeypatch.setattr(os, "statvfs", lambda _: little)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

        with pytest.raises(JournalError):
            run(there, observe)
        monkeypatch.setattr(os, "statvfs", true)
        assert run(there, Told()).by_end()[RackEnd.HANDED_OVER] == 1
        assert_everything_happened_once(there)


@pytest.mark.nightly
def test_a_clock_that_steps_back_in_the_middle_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true, count, back_s = time.time, 0, 0.0

    def observe(event: StepEvent) -> None:
        nonlocal count, back_s
        count += event.outcome is StepOutcome.DONE
        back_s = 7200.0 if count > 200 else 0.0

    monkeypatch.setattr(time, "time", lambda: true() - back_s)
    with world(tmp_path, 1) as there:
        assert run(there, observe).by_end()[RackEnd.HANDED_OVER] == 1
        with sqlite3.connect(there.files.journal) as journal:
            rows = journal.execute("SELECT intent_at, outcome_at FROM actions ORDER BY id").fetchall()
        assert all(begun <= ended < begun + 600 for begun, ended in rows), "no action ends before it begins"
        assert run(there, Told()).by_end()[RackEnd.HANDED_OVER] == 1
        assert_everything_happened_once(there)


def test_no_password_is_in_anything_that_is_told_or_kept_beside_the_secrets(tmp_path: Path) -> None:
    with world(tmp_path, 1, calm(faults=[{"fault": "errors", "share": 0.1, "rate": 0.2}])) as there:
        told = Told()
        run(there, told)
        passwords = there.passwords()
        assert len(passwords) == 142
        kept = [p for p in there.folder.rglob("*") if p.is_file() and p.name not in ("fleet.json", "ess-r001.json")]
        kept.append(there.folder / "nodes" / "ess-r001.json")
        for path in kept:
            content = path.read_bytes()
            assert not [p for p in passwords if p.encode() in content], path
        text = repr(told.events)
        assert not [p for p in passwords if p in text]
        assert not (there.folder / "nodes" / "ess-r001.json").stat().st_mode & 0o077


def test_what_was_handed_over_is_only_looked_at_by_a_later_run(tmp_path: Path) -> None:
    with world(tmp_path, 1) as there:
        assert run(there, Told()).by_end()[RackEnd.HANDED_OVER] == 1
        asyncio.run(switch_on(there, "ess-r001/3"))
        before, told = there.ledger(), Told()
        assert run(there, told).by_end()[RackEnd.HANDED_OVER] == 1
        assert there.ledger() == before, "a host in service stays on"
        outcomes = {e.outcome for e in told.events}
        assert outcomes == {StepOutcome.STARTED, StepOutcome.OBSERVED}


async def switch_on(there: World, tray: str) -> None:
    """As Ironic does."""
    plan = compile_bring_up(there.region, read_supplier(there.supplier)[0])
    (work,) = [e for e in plan.racks[0].endpoints if e.name == tray]
    tls = ssl.create_default_context(cafile=there.files.ca)
    async with BmcClients(Pace(), tls) as clients:
        bmc = clients.connect(work)
        bmc.use("root", there.minted(tray))
        await bmc.post("Systems/System_0/Actions/ComputerSystem.Reset", {"ResetType": "On"})
