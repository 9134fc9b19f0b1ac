"""Where a bring-up acts: on a simulated fleet, or on the machines that were delivered.

Owns the difference between the two, which is all before and after the run: where lists, packages and certificates
come from, where passwords, journal and ledger are kept, and whether somebody is asked first. The run is the same.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.engine.lock import RunLock
from components.errors import Problem, SpecError
from components.plan import compile_region
from components.plan.pending import pending_index
from components.spec import load
from components.spec.region import Region
from stacks.acceptance import open_ledger
from stacks.bring_up import BringUpFiles
from stacks.cli.simulator import Simulator
from stacks.project import CATALOGUE, bring_up_folder, kept, region_folder, simulated_folder

_LOCK_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where one run acts."""

    region: Region
    folder: Path
    """What it keeps: journal, history, how it ended."""
    files: BringUpFiles
    compression: float
    machines: str
    """In words."""
    is_real: bool
    """Whether what is done cannot be taken back."""
    afterwards: str
    """What comes next, in words."""

    def open_ledger(self) -> Ledger:
        """The region's own acceptance ledger, or that of a simulation, which stays on this machine."""
        if not self.is_real:
            return Ledger.open(self.region.region, LedgerFolder(self.folder / "ledger"), None)
        with kept():
            plan = compile_region(self.region, pending_index(self.region))
        return open_ledger(plan)


@contextmanager
def simulated(region: str, scenario: Path) -> Generator[Ground]:
    """A fleet that serves inside the block; a run that was killed left one, and this goes on with it."""
    with _alone(simulated_folder(region, scenario)) as folder:
        spec = load(region_folder(region), CATALOGUE, references=folder)  # received lists are of the real machines
        with Simulator(folder, scenario, spec) as simulator:
            yield Ground(
                region=spec,
                folder=folder,
                files=_files(folder, simulator.supplier, simulator.firmware, simulator.ca),
                compression=simulator.compression,
                machines="a simulated fleet",
                is_real=False,
                afterwards="the layers above (substrate, cluster, runtime) need machines that boot: a simulated fleet"
                " has none",
            )


@contextmanager
def delivered(region: str, came_with: Path) -> Generator[Ground]:
    """The machines that stand in the racks. `came_with` holds `fleet.json`, `firmware/` and `ca.crt`. Raises
    SpecError with all that it lacks."""
    supplier, firmware, ca = came_with / "fleet.json", came_with / "firmware", came_with / "ca.crt"
    texts = {
        supplier: "the supplier's list: rack -> place -> kind, serial, MACs, BMC's address, factory password; mode 0600",
        firmware: "a folder with one package for each kind of endpoint, such as compute_tray.fwpkg",
        ca: "certificate (PEM) of the authority that signs the BMCs' certificates",
    }
    missing = [
        Problem(path=str(path), message="is missing", allowed=text, remedy="docs/guides/bring-up.md", rule="delivery")
        for path, text in texts.items()
        if not path.exists()
    ]
    if missing:
        raise SpecError("the delivery is not complete; nothing has been touched", missing)
    with _alone(bring_up_folder(region)) as folder:
        yield Ground(
            region=load(region_folder(region), CATALOGUE),
            folder=folder,
            files=_files(folder, supplier, firmware, ca),
            compression=1.0,
            machines="the machines delivered",
            is_real=True,
            afterwards=f"next: `region up {region}`",
        )


@contextmanager
def _alone(folder: Path) -> Generator[Path]:
    """The folder, made for its owner only, with no other run in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = RunLock.acquire(folder / "run.lock", wait_s=_LOCK_S)
    try:
        yield folder
    finally:
        lock.release()


def _files(folder: Path, supplier: Path, firmware: Path, ca: Path) -> BringUpFiles:
    return BringUpFiles(
        journal=folder / "journal.db",
        supplier=supplier,
        passwords=folder / "passwords",
        firmware=firmware,
        nodes=folder / "nodes",
        ca=ca,
    )
