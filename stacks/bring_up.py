"""Brings a region's racks up, from files to the result: what `region up REGION --fleet` and the tests call.

Owns the wiring of the stage before the layers: description, supplier's list, journal, credentials, BMC clients,
Ironic. Decides nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.clients.bmc.passwords import LOCKOUT_S, PasswordFolder
from components.clients.bmc.redfish import BmcClients
from components.clients.bmc.supplier import read_supplier
from components.clients.ironic import Ironic
from components.clients.ironic_nodes import IronicNodes
from components.clients.redaction import redact
from components.engine.acceptance import AcceptanceLedger
from components.engine.bring_up.event import Observer
from components.engine.bring_up.result import Result
from components.engine.bring_up.run import bring_up
from components.engine.bring_up.services import Services, Tempo
from components.engine.budget import Budgets
from components.engine.journal import Journal
from components.engine.pace import Pace
from components.errors import Problem, SpecError
from components.plan.bring_up.compile import Plan, compile_bring_up
from components.spec.catalogue.firmware import Endpoint
from components.spec.region import Region

ANSWER_S, SIMULATED_ANSWER_S = 60.0, 10.0
"""Longest wait for one answer of a BMC, and of one that a program plays."""
LOCK_S = 2.0
"""Wait for another run to end before this one refuses."""


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


def scope_of(region: str) -> str:
    """The stage's name in journal and lock."""
    return f"{region}.bring-up"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A bring-up that is known to the end, before anything is touched."""

    region: str
    plan: Plan
    files: BringUpFiles
    packages: Mapping[Endpoint, Path]
    factory: Mapping[str, str] = field(repr=False)
    """Endpoint -> factory password."""
    answer_s: float
    tempo: Tempo


def prepare(
    region: Region,
    *,
    files: BringUpFiles,
    compression: float = 1.0,
    racks: Collection[str] | None = None,
    first: int | None = None,
    answer_s: float | None = None,
) -> Prepared:
    """What to do with the racks of the supplier's list, or its `first` ones, or those of `racks`.

    Raises SpecError where description or lists stand against it. `compression` is that of a simulated fleet: seconds
    that machines need, and limits on them, are divided by it. `answer_s` is the longest wait for one answer, which no
    fleet compresses.
    """
    answer_s = answer_s or (ANSWER_S if compression == 1 else SIMULATED_ANSWER_S)
    delivered, factory = read_supplier(files.supplier)
    plan = compile_bring_up(region, delivered, list(delivered)[:first] if racks is None else racks)
    return Prepared(
        region=region.region,
        plan=plan,
        files=files,
        packages=_packages(files.firmware, plan),
        factory=factory,
        answer_s=answer_s,
        tempo=Tempo(compression=compression, allowance_s=2 * answer_s),
    )


async def carry_out(
    prepared: Prepared,
    *,
    observe: Observer,
    ledger: AcceptanceLedger | None = None,
    ironic: Ironic | None = None,
    pace: Pace | None = None,
) -> Result:
    """Bring the racks up. Raises RegionError, having touched nothing, where another run stands against it; failures of
    devices are in the result."""
    plan, files, tempo = prepared.plan, prepared.files, prepared.tempo
    passwords = PasswordFolder(files.passwords, prepared.factory, lockout_s=tempo.machine_s(LOCKOUT_S))
    nodes = IronicNodes(
        files.nodes,
        plan.bring_up.kind(Endpoint.COMPUTE_TRAY),
        ca=str(files.ca),
        reference=lambda rack, endpoint: f"file:{passwords.path(rack)}#{endpoint}",
        password=passwords.minted,
        ironic=ironic,
    )
    tls = ssl.create_default_context(cafile=files.ca)
    with Journal.open(files.journal, scope=scope_of(prepared.region), wait_s=LOCK_S, redact=redact) as journal:
        async with BmcClients(pace or Pace(), tls, answer_s=prepared.answer_s) as clients:
            services = Services(
                plan=plan,
                journal=journal,
                budgets=Budgets(plan.limits),
                connect=clients.connect,
                passwords=passwords,
                nodes=nodes,
                packages=prepared.packages,
                tempo=tempo,
                ledger=ledger,
            )
            return await bring_up(services, observe=observe)


async def bring_up_region(
    region: Region,
    *,
    files: BringUpFiles,
    observe: Observer,
    compression: float = 1.0,
    racks: Collection[str] | None = None,
    pace: Pace | None = None,
    answer_s: float | None = None,
) -> Result:
    """Both, for those who need nothing in between."""
    prepared = prepare(region, files=files, compression=compression, racks=racks, answer_s=answer_s)
    return await carry_out(prepared, observe=observe, pace=pace)


def _packages(folder: Path, plan: Plan) -> Mapping[Endpoint, Path]:
    """The bundle's packages; every kind that the baseline names has one."""
    paths = {kind: folder / f"{kind}.fwpkg" for kind in plan.bring_up.kinds}
    problems = [
        Problem(
            path=path.name,
            message=f"the package of the bundle {plan.baseline.baseline} for a {kind} is missing",
            found=str(folder),
            remedy="put the maker's package there under this name (simulated: python -m lab.fleet bundle)",
            rule="bring-up-package",
        )
        for kind, path in paths.items()
        if plan.baseline.versions(kind) and not path.is_file()
    ]
    if problems:
        raise SpecError("firmware cannot be pushed; nothing has been touched", problems)
    return paths
