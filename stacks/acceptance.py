"""Where a region's acceptance ledger is kept, and how it is read and written from here.

Owns the choice of place: this machine's folder and the region's object store. What a simulated fleet shows never gets
into the region's own ledger, and never into its store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.checks.acceptance import accepted
from components.checks.result import CheckResult
from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.clients.acceptance_store import LedgerStore, StoreAwayError
from components.engine.acceptance import AcceptanceEvent
from components.errors import Problem, RegionError
from components.plan.model import RegionPlan
from components.state.bucket import acceptance
from stacks.project import ROOT, simulated_folder, state_folder


def ledger_folder(region: str, scenario: Path | None = None) -> LedgerFolder:
    """This machine's copy; of a simulated fleet's, if a scenario is named."""
    return LedgerFolder((simulated_folder(region, scenario) if scenario else state_folder(region)) / "ledger")


def ledger_store(plan: RegionPlan) -> LedgerStore:
    """The region's object store. Raises StoreAwayError where there is no key to it here."""
    try:
        bucket = acceptance(plan, ROOT)
    except RegionError as error:
        problem = Problem(path=plan.endpoints.s3, message="there is no key to the store here", found=str(error))
        raise StoreAwayError("the acceptance ledger's store is away", [problem]) from error
    return LedgerStore(bucket.access, bucket.name, prepare=bucket.ensure)


def open_ledger(plan: RegionPlan) -> Ledger:
    """The region's ledger, to be written. What cannot reach the store stays here: `away` says why."""
    folder = ledger_folder(plan.region)
    try:
        return Ledger.open(plan.region, folder, ledger_store(plan))
    except StoreAwayError as error:
        ledger = Ledger.open(plan.region, folder, None)
        ledger.away = error.reasons
        return ledger


async def record_accepted(plan: RegionPlan, results: Sequence[CheckResult]) -> Ledger:
    """Record the trays that the checks accept; what is recorded already adds nothing. The ledger that was written."""
    async with open_ledger(plan) as ledger, asyncio.TaskGroup() as group:
        for tray in accepted(plan, results):
            group.create_task(
                ledger.record(
                    serial=tray.serial,
                    event=AcceptanceEvent.ACCEPTED,
                    device=tray.device,
                    evidence={"checks": tray.checks},
                )
            )
    return ledger


def contents(plan: RegionPlan, scenario: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """All batches, of this machine and those that only the store has. Raises StoreAwayError where neither has any."""
    folder = ledger_folder(plan.region, scenario)
    here = folder.batches()
    if scenario is None:
        try:
            store = ledger_store(plan)
            for name in store.batches():
                if name not in here:
                    yield name, store.read(name)
        except StoreAwayError:
            if not here:
                raise
    yield from folder.contents()
