"""The acceptance ledger at the size of a region: what recording, keeping and verifying cost.

Records the way of every endpoint of so many racks to the hand-over, as a bring-up does, into a folder and, where
versitygw is built, an object store on loopback. There is no peer: no other tool keeps such a ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from benchmarks.object_store import object_store
from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.clients.acceptance_store import LedgerStore
from components.clients.s3 import S3Access, s3_client
from components.engine.acceptance import JSON, AcceptanceEvent
from components.engine.acceptance_verdict import judge
from lab.fleet.kinds import Kind, places
from stacks.cli.environment import search_path

FIRMWARE: JSON = {f"HGX_FW_{part}_0": "97.10.4A.00.1F" for part in ("BMC", "CPLD", "CPU", "ERoT", "FPGA", "GPU")}


async def record(ledger: Ledger, racks: int) -> None:
    """All endpoints side by side, each one event after the other."""

    async def way(rack: int, place: str, kind: Kind) -> None:
        evidence: dict[AcceptanceEvent, tuple[dict[str, JSON], str | None]] = {
            AcceptanceEvent.RACKED: ({"step": "find"}, None),
            AcceptanceEvent.CREDENTIALS_ROTATED: ({"step": "credentials"}, None),
            AcceptanceEvent.MATCHED: ({"step": "match", "serial": f"S{rack:04d}{place}"}, "CNP08"),
            AcceptanceEvent.FIRMWARE_VERIFIED: (
                {"step": "verify", "baseline": "dgx-gb200", "firmware": FIRMWARE},
                "CNP09",
            ),
        }
        if kind is Kind.COMPUTE_TRAY:
            evidence[AcceptanceEvent.CONFIGURED] = ({"step": "boot", "secure_boot": True}, "SEC22")
            evidence[AcceptanceEvent.HANDED_OVER] = ({"address": "https://127.64.1.1:8443"}, None)
        for event, (seen, requirement) in evidence.items():
            await ledger.record(
                serial=f"S{rack:04d}{place}",
                event=event,
                device=f"ess-r{rack:03d}/{place}",
                evidence=seen,
                requirement=requirement,
            )

    async with asyncio.TaskGroup() as group:
        for rack in range(1, racks + 1):
            for place in places():
                group.create_task(way(rack, place.name, place.kind))


@contextlib.contextmanager
def store_on(folder: Path) -> Generator[LedgerStore | None]:
    """An object store of the benchmark's own, if its program is there."""
    if not any((Path(part) / "versitygw").is_file() for part in search_path().split(":")):
        print("no object store: versitygw is not built (make tools)")
        yield None
        return
    with object_store(folder) as settings:
        endpoint = settings["PULUMI_BACKEND_URL"].partition("endpoint=")[2].partition("&")[0]
        access = S3Access(
            endpoint=endpoint.replace("%3A", ":").replace("%2F", "/"),
            access_key=settings["AWS_ACCESS_KEY_ID"],
            secret_key=settings["AWS_SECRET_ACCESS_KEY"],
            ca=Path("unused: no TLS"),
        )
        yield LedgerStore(access, "state", client=s3_client(access))


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--racks", type=int, default=250)
    racks: int = parser.parse_args().racks
    with tempfile.TemporaryDirectory(prefix="gpuregion-") as made, store_on(Path(made)) as store:
        folder = LedgerFolder(Path(made) / "ledger")

        async def run() -> tuple[int, float]:
            async with Ledger.open("essonne", folder, store) as ledger:
                began = time.perf_counter()
                await record(ledger, racks)
                recorded_s = time.perf_counter() - began
            return ledger.added, recorded_s

        began, used = time.perf_counter(), time.process_time()
        entries, recorded_s = asyncio.run(run())
        whole_s, cpu_s = time.perf_counter() - began, time.process_time() - used
        size = sum((folder.path / name).stat().st_size for name in folder.batches())
        print(f"{racks} racks, {racks * 71:,} serial numbers, {entries:,} entries in {len(folder.batches())} batches")
        print(f"recorded, on the disk: {recorded_s:.1f} s, {entries / recorded_s:,.0f} entries/s")
        print(f"with the store, closed: {whole_s:.1f} s, {cpu_s:.1f} s of processor time")
        print(f"bytes an entry: {size / entries:.0f}")
        began = time.perf_counter()
        verdict = judge(folder.contents(), "essonne")
        verify_s = time.perf_counter() - began
        assert verdict.entries == entries and not verdict.faults
        print(f"verified here: {verify_s:.1f} s, {entries / verify_s:,.0f} entries/s")
        if store is not None:
            began = time.perf_counter()
            there = judge(((name, store.read(name)) for name in store.batches()), "essonne", verdict.head)
            assert there.entries == entries and not there.faults
            print(f"verified in the store: {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        asyncio.run(again(folder, racks))
        print(f"a second run that finds all of it: {time.perf_counter() - began:.1f} s, 0 new entries")


async def again(folder: LedgerFolder, racks: int) -> None:
    """Read the ledger and record the same."""
    async with Ledger.open("essonne", folder, None) as ledger:
        await record(ledger, racks)
        assert ledger.added == 0


if __name__ == "__main__":
    main()
