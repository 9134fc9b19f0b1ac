"""Where a region's acceptance ledger is kept, and how it is read and written from here.

Owns the choice of place: this machine's folder and the region's object store. What a simulated fleet shows never gets
into the region's own ledger, and never into its store.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.clients.acceptance_store import LedgerStore, StoreAwayError
from components.errors import Problem, RegionError
from components.plan.model import RegionPlan
from components.state.bucket import acceptance
from stacks.project import ROOT, state_folder


def simulated_folder(region: str) -> Path:
    """What is left of runs on a simulated fleet: nothing in it is of the region itself."""
    return state_folder(region) / "simulated"


def ledger_folder(region: str, *, simulated: bool = False) -> LedgerFolder:
    """This machine's copy."""
    return LedgerFolder((simulated_folder(region) if simulated else state_folder(region)) / "ledger")


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
        ledger.away = "; ".join(p.found or p.message for p in error.problems)
        return ledger


def contents(plan: RegionPlan, *, simulated: bool = False) -> Iterator[tuple[str, bytes]]:
    """All batches, of this machine and those that only the store has. Raises StoreAwayError where neither has any."""
    folder = ledger_folder(plan.region, simulated=simulated)
    here = folder.batches()
    if not simulated:
        try:
            store = ledger_store(plan)
            for name in store.batches():
                if name not in here:
                    yield name, store.read(name)
        except StoreAwayError:
            if not here:
                raise
    yield from folder.contents()
