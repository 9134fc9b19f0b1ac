"""Brings a region's racks up, from files to the result: what `region up REGION --fleet` and the tests call.

Owns the wiring of the stage before the layers: description, supplier's list, journal, credentials, BMC clients,
Ironic. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from components.engine.acceptance import AcceptanceLedger
from components.engine.bring_up.event import Observer
from components.engine.bring_up.result import Result
from components.spec.region import Region


@dataclass(frozen=True, kw_only=True)
class BringUpFiles:
    """Where the stage reads and writes. Directories are made, for their owner only, if they are missing."""

    journal: Path
    """The region's journal; the stage's scope in it is `REGION.bring-up`."""
    supplier: Path
    """The supplier's list of endpoints with factory passwords, mode 0600: the form of `lab.fleet describe --out`."""
    passwords: Path
    """Directory of the passwords that this stage mints, one file a rack."""
    firmware: Path
    """Directory of the bundle's packages: `power_shelf.fwpkg`, `nvlink_switch.fwpkg`, `dpu.fwpkg`,
    `compute_tray.fwpkg`."""
    nodes: Path
    """Directory of the records for Ironic, one file a rack: what `baremetal create FILE` takes."""
    ca: Path
    """Certificate of the authority that signs the BMCs' certificates."""


async def bring_up_region(
    region: Region,
    *,
    files: BringUpFiles,
    observe: Observer,
    ledger: AcceptanceLedger | None = None,
    compression: float = 1.0,
    racks: Collection[str] | None = None,
) -> Result:
    """Bring all racks with a bring-up in the catalogue up, or those of `racks`.

    Raises RegionError, having touched nothing, where description, lists or another run stand against it; failures of
    devices are in the result. `compression` is that of a simulated fleet: seconds that machines need, and limits on
    them, are divided by it.
    """
    raise NotImplementedError
