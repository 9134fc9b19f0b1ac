"""The acceptance ledger's writer: once, on the disk, in the store, whatever happens to it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.clients import acceptance_ledger
from components.clients.acceptance_folder import GROWING, LedgerError, LedgerFolder
from components.engine.acceptance import AcceptanceEvent, Entry, Line
from components.engine.acceptance_verdict import Verdict, judge
from components.engine.lock import RunInProgressError
from components.errors import RegionError
from tests.acceptance import LIFE, REGION, FakeS3, live, opened

ROOT = Path(__file__).parents[2]


def verdict(folder: Path) -> Verdict:
    return judge(LedgerFolder(folder).contents(), REGION)


def entries(folder: Path) -> list[Entry]:
    texts = (text for _, content in LedgerFolder(folder).contents() for text in content.splitlines())
    return [Entry.of(Line.read(text).body) for text in texts]


async def gone_on_with(folder: Path) -> int:
    async with opened(folder) as ledger:
        return ledger.head.number if ledger.head else 0


async def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await live(ledger, 20)
        head = ledger.head
    found = verdict(tmp_path)
    assert (found.entries, len(found.serials), found.faults, found.head) == (80, 20, [], head)


async def test_an_entry_is_on_the_disk_when_record_returns(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await ledger.record(serial="T1", event=AcceptanceEvent.RACKED, device="lab-r001/1", evidence={})
        assert b'"serial":"T1"' in (tmp_path / GROWING).read_bytes()


async def test_many_records_share_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    append = LedgerFolder.append

    def counted(self: LedgerFolder, lines: bytes) -> int:
        writes.append(lines.count(b"\n"))
        return append(self, lines)

    monkeypatch.setattr(LedgerFolder, "append", counted)
    async with opened(tmp_path) as ledger:
        await live(ledger, 500)
    assert sum(writes) == 2000
    assert len(writes) <= 20


async def test_a_second_run_that_finds_all_done_adds_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await live(ledger, 10)
    async with opened(tmp_path) as ledger:
        await live(ledger, 10)
        assert ledger.added == 0
    assert LedgerFolder(tmp_path).batches() == ["000001.ledger"]


async def test_other_evidence_is_an_entry_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        for bundle in ("gb200-1.3", "gb200-1.3", "gb200-1.4"):
            await ledger.record(
                serial="T1",
                event=AcceptanceEvent.FIRMWARE_VERIFIED,
                device="lab-r001/1",
                evidence={"bundle": bundle},
                requirement="CNP09",
            )
        assert ledger.added == 2


async def test_a_tray_is_accepted_once_and_after_a_repair_re_accepted_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        for event in ("accepted", "accepted", "repaired", "racked", "accepted", "accepted"):
            await ledger.record(
                serial="T1", event=AcceptanceEvent(event), device="lab-r001/1", evidence={"n": ledger.added}
            )
    assert [e.event for e in entries(tmp_path)] == ["accepted", "repaired", "racked", "re-accepted"]


async def test_a_life_is_remembered_by_the_next_run(tmp_path: Path) -> None:
    for _ in range(2):
        async with opened(tmp_path) as ledger:
            for event in (AcceptanceEvent.ACCEPTED, AcceptanceEvent.REPAIRED, AcceptanceEvent.ACCEPTED):
                await ledger.record(serial="T1", event=event, device="lab-r001/1", evidence={})
    assert [e.event for e in entries(tmp_path)] == ["accepted", "repaired", "re-accepted"]


async def test_fractions_are_refused_as_evidence(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        with pytest.raises(RegionError, match="fraction"):
            await ledger.record(
                serial="T1",
                event=AcceptanceEvent.RACKED,
                device="d",
                evidence={"kw": 1.5},  # pyright: ignore[reportArgumentType] - what the type forbids
            )
        await ledger.record(serial="T1", event=AcceptanceEvent.RACKED, device="d", evidence={})
    assert verdict(tmp_path).faults == []


async def test_batches_are_in_the_store_as_they_are_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptance_ledger, "BATCH_BYTES", 5_000)
    s3 = FakeS3()
    async with opened(tmp_path, s3) as ledger:
        await live(ledger, 100)
        assert not ledger.away
    folder = LedgerFolder(tmp_path)
    assert len(s3.objects) > 1
    assert {name: folder.read(name) for name in folder.batches()} == s3.objects


async def test_what_the_store_missed_is_brought_by_a_later_run(tmp_path: Path) -> None:
    s3 = FakeS3()
    s3.is_away = True
    async with opened(tmp_path, s3) as ledger:
        await live(ledger, 3)
    assert "127.0.0.1:9" in ledger.away
    assert not s3.objects
    s3.is_away = False
    async with opened(tmp_path, s3) as ledger:
        pass
    assert list(s3.objects) == ["000001.ledger"]
    assert not ledger.away


async def test_a_run_killed_between_the_store_and_its_note_brings_the_batch_again_unharmed(tmp_path: Path) -> None:
    s3 = FakeS3()
    async with opened(tmp_path, s3) as ledger:
        await live(ledger, 3)
    before = dict(s3.objects)
    (tmp_path / "anchor").unlink()
    async with opened(tmp_path, s3):
        pass
    assert s3.objects == before
    assert LedgerFolder(tmp_path).anchor()[0] == "000001.ledger"


async def test_another_machine_goes_on_with_what_the_store_holds(tmp_path: Path) -> None:
    s3 = FakeS3()
    async with opened(tmp_path / "one", s3) as ledger:
        await live(ledger, 3)
    async with opened(tmp_path / "two", s3) as ledger:
        await live(ledger, 5)
        assert ledger.added == 8  # the two that the first had not
    assert judge(sorted(s3.objects.items()), REGION).faults == []


async def test_two_ledgers_of_one_region_are_told_and_neither_is_overwritten(tmp_path: Path) -> None:
    s3 = FakeS3()
    s3.is_away = True
    async with opened(tmp_path / "one", s3) as ledger:
        await live(ledger, 3)
    s3.is_away = False
    async with opened(tmp_path / "two", s3) as ledger:
        await live(ledger, 3, first=7)
    stands = dict(s3.objects)
    with pytest.raises(LedgerError, match="two ledgers"):
        async with opened(tmp_path / "one", s3):
            pass
    assert s3.objects == stands
    with pytest.raises(LedgerError, match="two ledgers"):  # and the lock is free
        async with opened(tmp_path / "one", s3):
            pass


async def test_only_one_run_writes_at_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(RunInProgressError, match=str(os.getpid())):
            opened(tmp_path)


async def test_a_damaged_ledger_is_not_gone_on_with(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        await live(ledger, 3)
    batch = tmp_path / "000001.ledger"
    batch.write_bytes(batch.read_bytes().replace(b'"number":5,', b'"number":6,'))
    with pytest.raises(LedgerError, match="region ledger verify"):
        opened(tmp_path)


async def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    room = 3_000

    def full(handle: int, data: memoryview) -> int:
        nonlocal room
        if room < len(data):
            write(handle, data[:room])
            raise OSError(28, "No space left on device")
        room -= len(data)
        return write(handle, data)

    with pytest.raises(LedgerError, match="No space left"):
        async with opened(tmp_path) as ledger:
            monkeypatch.setattr(os, "write", full)
            for first in range(100):
                await live(ledger, 1, first=first)
    monkeypatch.undo()
    assert verdict(tmp_path).faults == []
    async with opened(tmp_path) as ledger:
        await live(ledger, 100)
    found = verdict(tmp_path)
    assert (found.entries, found.faults) == (400, [])


_CHILD = """
import asyncio, sys
from pathlib import Path
from tests.acceptance import live, opened
async def main():
    async with opened(Path(sys.argv[1])) as ledger:
        for first in range(200):
            await live(ledger, 3, first=3 * first)
            print(first, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_run_killed_anywhere_leaves_a_whole_ledger_with_all_that_it_told(tmp_path: Path, seed: int) -> None:
    kill_after = random.Random(seed).randrange(5, 150)  # noqa: S311 - which one does not matter, that it stays does
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    told = 0
    for line in child.stdout:
        told = int(line) + 1
        if told > kill_after:
            child.send_signal(signal.SIGKILL)
            break
    child.wait(30)
    child.stdout.close()
    with (tmp_path / GROWING).open("ab") as file:
        file.write(b'0123456789abcdef {"serial":"half')  # as a kill within a write leaves it
    assert asyncio.run(gone_on_with(tmp_path)) >= told * 3 * len(LIFE)
    assert verdict(tmp_path).faults == []
