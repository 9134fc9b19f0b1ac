"""The journal's promise: a killed run repeats nothing, and nothing is skipped."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.engine.journal import Action, Journal, Observation, Outcome
from components.engine.lock import RunInProgressError
from components.plan.actions.action import ActionKind

DEPLOY = Action(target="lab-r01-t01", kind=ActionKind.DEPLOY, digest="d1", destructive=True)


class KilledError(BaseException):
    """Stands for SIGKILL: no handler of Exception may see it."""


@dataclass
class Device:
    """A machine that is told to deploy, and deploys by itself once told."""

    state: Observation = Observation.ABSENT
    told: int = 0
    killed_at: list[str] = field(default_factory=list[str])

    def point(self, name: str) -> None:
        if self.killed_at and self.killed_at[0] == name:
            self.killed_at.pop(0)
            raise KilledError(name)

    async def observe(self) -> Observation:
        self.point("observe")
        return self.state

    async def act(self) -> None:
        self.point("before-act")
        self.told += 1
        self.state = Observation.IN_PROGRESS
        self.point("after-act")

    async def await_done(self) -> None:
        self.point("waiting")
        self.state = Observation.DONE
        self.point("done")


async def perform(path: Path, device: Device, action: Action = DEPLOY) -> Outcome:
    with Journal.open(path) as journal:
        return await journal.perform(action, observe=device.observe, act=device.act, await_done=device.await_done)


@pytest.mark.parametrize(
    ("state", "outcome", "told"),
    [
        (Observation.ABSENT, Outcome.DONE, 1),
        (Observation.IN_PROGRESS, Outcome.OBSERVED, 0),
        (Observation.DONE, Outcome.OBSERVED, 0),
    ],
)
async def test_a_device_is_told_only_when_it_shows_nothing(
    tmp_path: Path, state: Observation, outcome: Outcome, told: int
) -> None:
    device = Device(state=state)
    assert await perform(tmp_path / "j.db", device) is outcome
    assert device.told == told
    assert device.state is Observation.DONE
    assert [r.outcome for r in Journal.read_history(tmp_path / "j.db")] == [outcome]


async def test_a_run_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    device = Device()
    await perform(tmp_path / "j.db", device)
    before = Journal.read_history(tmp_path / "j.db")
    await perform(tmp_path / "j.db", device)
    assert Journal.read_history(tmp_path / "j.db") == before


POINTS = ["observe", "before-act", "after-act", "waiting", "done"]


@settings(max_examples=60, deadline=None)
@given(kills=st.lists(st.sampled_from(POINTS), max_size=6))
def test_however_often_a_run_is_killed_the_device_is_told_once(
    kills: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j.db"
    device = Device(killed_at=list(kills))
    for _ in range(len(kills) + 2):
        try:
            asyncio.run(perform(path, device))
        except KilledError:
            continue
        if not device.killed_at:
            break
        # A kill point that the run no longer passes (it is done): nothing left to disturb.
        device.killed_at.clear()
    assert device.state is Observation.DONE
    assert device.told == 1
    assert all(r.outcome for r in Journal.read_history(path)), "every intent is resolved by the run that completes"


async def test_a_failure_is_recorded_redacted_and_may_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    async def fail() -> None:
        raise RuntimeError("BMC refused admin:hunter2")

    device = Device()
    with Journal.open(path, redact=lambda text: text.replace("hunter2", "***")) as journal:
        with pytest.raises(RuntimeError):
            await journal.perform(DEPLOY, observe=device.observe, act=fail)
        assert await journal.perform(DEPLOY, observe=device.observe, act=device.act) is Outcome.DONE
    newest, failed = Journal.read_history(path)
    assert (failed.outcome, failed.detail) == ("failed", "BMC refused admin:***")
    assert newest.outcome == "done"


async def test_a_cancelled_action_stays_open_because_the_device_may_go_on(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    device = Device()
    forever = asyncio.Event()

    waiting = asyncio.Event()

    async def wait() -> None:
        waiting.set()
        await forever.wait()

    with Journal.open(path) as journal:
        task = asyncio.create_task(journal.perform(DEPLOY, observe=device.observe, act=device.act, await_done=wait))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert Journal.read_history(path)[0].outcome is None
    await perform(path, device)
    assert [r.outcome for r in Journal.read_history(path)] == ["observed"]


async def test_history_can_be_asked_for_one_device(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    await perform(path, Device())
    await perform(path, Device(), Action(target="lab-r01-t02", kind=ActionKind.CLEAN, digest="x"))
    assert [r.target for r in Journal.read_history(path, target="lab-r01-t02")] == ["lab-r01-t02"]
    assert Journal.read_history(tmp_path / "none.db") == []


async def test_what_killed_runs_meant_to_do_is_settled_by_a_look_at_the_device(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    kinds = (ActionKind.CLEAN, ActionKind.DEPLOY, ActionKind.UNDEPLOY)
    for kind in kinds:
        with pytest.raises(KilledError):
            await perform(path, Device(killed_at=["before-act"]), Action(target="t", kind=kind, digest="d"))
    looks = {"clean": Observation.DONE, "deploy": Observation.IN_PROGRESS, "undeploy": Observation.ABSENT}
    with Journal.open(path) as journal:
        assert await journal.settle("t", lambda kind, digest: looks[kind]) == {"clean"}
    outcomes = {record.kind: record.outcome for record in Journal.read_history(path)}
    assert outcomes == {"clean": "observed", "deploy": None, "undeploy": "not-carried-out"}


HOLDER = """
import sys, time
from pathlib import Path
from components.engine.journal import Journal
journal = Journal.open(Path(sys.argv[1]), scope=sys.argv[2])
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_run_refuses_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path), "lab.substrate"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RunInProgressError, match=rf"process {holder.pid}, started 20"):
            Journal.open(path, scope="lab.substrate", wait_s=0.3)
        # Another layer touches other devices, so it need not wait.
        Journal.open(path, scope="lab.fabric", wait_s=0).close()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    Journal.open(path, scope="lab.substrate", wait_s=0).close()
