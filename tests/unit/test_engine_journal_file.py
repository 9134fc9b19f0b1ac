"""The journal's file: few fsyncs, a full disk, a clock that is set back, and a process that is killed anywhere."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.engine import journal_file
from components.engine.journal import Action, Journal, JournalError, Observation, Outcome
from components.plan.actions.action import ActionKind

PROGRAMS = Path(__file__).parent / "journal_programs"


def action(number: int) -> Action:
    return Action(target=f"r1-t{number:03}", kind=ActionKind.DEPLOY, digest="d", destructive=True)


async def absent() -> Observation:
    return Observation.ABSENT


async def nothing() -> None:
    return None


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What sqlite is asked from now on."""
    asked: list[str] = []
    connect = sqlite3.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(asked.append)
        return connection

    monkeypatch.setattr(journal_file, "sqlite3", SimpleNamespace(**{**vars(sqlite3), "connect": traced}))
    return asked


async def test_actions_at_one_time_share_their_commits_and_ask_the_disk_nothing(
    tmp_path: Path, statements: list[str]
) -> None:
    with Journal.open(tmp_path / "j.db") as journal:
        statements.clear()
        await asyncio.gather(*(journal.perform(action(n), observe=absent, act=nothing) for n in range(200)))
        kinds = Counter(statement.split()[0] for statement in statements)
    assert kinds["INSERT"] == kinds["UPDATE"] == 200
    assert kinds["COMMIT"] <= 20, "one for each of 400 entries would be one fsync for each"
    assert not kinds["SELECT"], "what stands in the file was read when it was opened"
    outcomes = Counter(record.outcome for record in Journal.read_history(tmp_path / "j.db", limit=1000))
    assert outcomes == {Outcome.DONE: 200}


async def test_the_device_is_told_only_after_its_own_intent_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    async def act(number: int) -> None:
        seen = [record.outcome for record in Journal.read_history(path, target=action(number).target)]
        assert seen == [None]

    with Journal.open(path) as journal:
        await asyncio.gather(*(journal.perform(action(n), observe=absent, act=lambda n=n: act(n)) for n in range(50)))


async def test_a_run_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        await journal.perform(action(1), observe=absent, act=nothing)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE INDEX actions_by_target ON actions (target, kind, digest)")
    with Journal.open(path) as journal:
        seen = await journal.perform(action(1), observe=lambda: _seen(Observation.DONE), act=nothing)
    assert seen is Outcome.OBSERVED
    assert len(Journal.read_history(path)) == 1, "it was known to be done, so nothing is written"


async def _seen(what: Observation) -> Observation:
    return what


def test_on_a_full_disk_nothing_is_begun_and_work_goes_on_once_there_is_room(tmp_path: Path) -> None:
    program = subprocess.run(
        [sys.executable, PROGRAMS / "full_disk.py", tmp_path], capture_output=True, text=True, timeout=100, check=False
    )
    assert program.returncode == 0, program.stderr
    acted, intents, after, *message = program.stdout.splitlines()
    assert int(acted) == int(intents) > 0, "every device that was told has its intent on disk, and no other was told"
    assert after == "done"
    text = "\n".join(message)
    assert "the journal cannot be written, so nothing is begun" in text
    assert str(tmp_path / "j.db") in text
    assert f"df -h {tmp_path}" in text


async def test_before_the_disk_is_full_nothing_new_is_begun_so_that_outcomes_find_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def fill() -> None:
        told.append("first")
        little = SimpleNamespace(f_bavail=100, f_frsize=4096)
        monkeypatch.setattr(os, "statvfs", lambda path: little)  # pyright: ignore[reportUnknownLambdaType,reportUnknownArgumentType]

    async def tell() -> None:
        told.append("second")

    with Journal.open(tmp_path / "j.db") as journal:
        assert await journal.perform(action(1), observe=absent, act=fill) is Outcome.DONE
        with pytest.raises(JournalError, match="400 KiB free"):
            await journal.perform(action(2), observe=absent, act=tell)
    assert told == ["first"]
    assert [record.outcome for record in Journal.read_history(tmp_path / "j.db")] == [Outcome.DONE]


async def test_a_clock_that_is_set_back_changes_neither_durations_nor_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, true = tmp_path / "j.db", time.time

    async def set_back() -> None:
        monkeypatch.setattr(time, "time", lambda: true() - 86_400)

    with Journal.open(path) as journal:
        await journal.perform(action(1), observe=absent, act=set_back)
        await journal.perform(action(2), observe=absent, act=nothing)
    with Journal.open(path) as journal:
        await journal.perform(action(3), observe=absent, act=nothing)
    newest = Journal.read_history(path)
    assert [record.target for record in newest] == [action(n).target for n in (3, 2, 1)]
    assert newest[0].intent_at < newest[1].intent_at, "the second run began a day before the first, by the clock"
    for record in newest:
        assert record.outcome_at is not None
        assert 0 <= record.outcome_at - record.intent_at < 3600
    assert newest[1].intent_at >= newest[2].intent_at


async def test_an_outcome_is_never_before_its_intent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, true = tmp_path / "j.db", time.time
    begun, never = asyncio.Event(), asyncio.Event()

    async def act() -> None:
        begun.set()
        await never.wait()

    with Journal.open(path) as journal:
        open_for_ever = asyncio.create_task(journal.perform(action(1), observe=absent, act=act))
        await begun.wait()
        open_for_ever.cancel()
        await asyncio.gather(open_for_ever, return_exceptions=True)
    monkeypatch.setattr(time, "time", lambda: true() - 86_400)
    with Journal.open(path) as journal:
        await journal.perform(action(1), observe=lambda: _seen(Observation.DONE), act=nothing)
    record = Journal.read_history(path)[0]
    assert record.outcome == Outcome.OBSERVED
    assert record.outcome_at == record.intent_at


@pytest.mark.parametrize("seed", [1, 2])
def test_however_often_the_process_is_killed_no_device_is_told_twice(tmp_path: Path, seed: int) -> None:
    program = subprocess.run(
        [sys.executable, PROGRAMS / "killed.py", tmp_path, str(seed), "25"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert program.returncode == 0, program.stdout + program.stderr
    kills, told, twice, without_intent, unresolved = (int(word) for word in program.stdout.split())
    assert kills == 25
    assert told == 900, "all was done"
    assert (twice, without_intent, unresolved) == (0, 0, 0)
