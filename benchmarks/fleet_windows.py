"""Racks from the floor to "handed over" in computed time: the self-tuned window against fixed ones, at full size.

    python -m benchmarks.fleet_windows [--racks 10 50 250] [--profiles quick typical slow]
                                       [--windows 128 512 2048 0] [--compression 4] [--processor-ms 1.0]

Time is computed and there is no network. Engine (with its journal, budgets, pace and retries) and simulated fleet are
the real ones, in one process, and nothing waits for a clock: nothing else on the machine disturbs a run, and one of 250
racks does not take 20 minutes of two cores for each setting. What is left out takes no time: connections, the sync of
the journal, the simulator's own work. What the engine computes for a request over HTTPS goes by on the computed clock
(`--processor-ms`). `fleet_bring_up` measures by the clock on the wall; scenarios, windows and floors are the same.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from unittest.mock import patch

import aiohttp

from benchmarks.fleet_bring_up import PROFILES, FixedWindow, prepared_in, region_of, scenario_of
from benchmarks.fleet_floor import Floor, floor
from benchmarks.fleet_in_process import InProcess
from benchmarks.termination import end_on_sigterm
from components.clients.bmc.passwords import PasswordFolder
from components.clients.bmc.redfish import BmcClients
from components.clients.bmc.supplier import read_supplier
from components.clients.ironic_nodes import IronicNodes
from components.engine import journal_file
from components.engine.bring_up.result import Result
from components.engine.bring_up.run import bring_up
from components.engine.bring_up.services import Services
from components.engine.budget import Budgets
from components.engine.journal import Journal
from components.engine.pace import Pace
from components.plan.bring_up.compile import compile_bring_up
from components.spec.catalogue.firmware import Endpoint
from lab.fleet import description
from lab.fleet.bundle import write_bundle
from lab.fleet.describe import describe
from lab.fleet.scenario import Scenario
from stacks.bring_up import Prepared
from tests.virtual_time import AtOnce, run

SELF_TUNED = 0
WINDOWS = (128, 512, 2048, SELF_TUNED)
COMPRESSION = {10: 60.0, 50: 20.0, 250: 4.0}
"""Of the runs over HTTPS, by racks."""
PROCESSOR_MS = 1.0
"""What the engine computes for a request over HTTPS, on a core like those of these runs."""
SEED = 7
"""Of the waits between two tries."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a run makes a folder of its own in it
"""A sync takes none of the computed time, so it need not take any of ours."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One run."""

    seconds: float
    """Computed."""
    least: Floor
    cpu_s: float
    """Of this process: engine and fleet."""
    window: float
    most: int
    requests: float
    handed_over: int
    isolated: int


def deliver(folder: Path, racks: int) -> None:
    """The supplier's list of a fleet, and the bundle's packages for it."""
    region, supplier = region_of(racks), folder / "fleet.json"
    first = region.racks[0].name
    supplier.touch(0o600)
    supplier.write_text(description.dump(describe(racks, series=first[:-3], first=int(first[-3:]))))
    plan = compile_bring_up(region, read_supplier(supplier)[0], None)
    write_bundle({kind: plan.baseline.versions(kind) for kind in plan.bring_up.kinds}, folder / "firmware")


async def carry_out(prepared: Prepared, wire: InProcess, pace: Pace) -> Result:
    """As `stacks.bring_up.carry_out`, on the fleet of this process."""
    files, plan = prepared.files, prepared.plan
    passwords = PasswordFolder(files.passwords, prepared.factory)
    trays = plan.bring_up.kind(Endpoint.COMPUTE_TRAY)
    nodes = IronicNodes(files.nodes, trays, ca="", reference=lambda rack, _: f"file:{rack}", password=passwords.minted)
    with Journal.open(files.journal) as journal:
        async with BmcClients(pace, None, answer_s=prepared.answer_s) as clients:
            await clients.session.close()
            clients.session = cast("aiohttp.ClientSession", wire)
            services = Services(
                plan=plan,
                journal=journal,
                budgets=Budgets(plan.limits),
                connect=clients.connect,
                passwords=passwords,
                nodes=nodes,
                packages=prepared.packages,
                tempo=prepared.tempo,
            )
            return await bring_up(services, observe=lambda _: None)


def run_one(racks: int, scenario: Scenario, window: int, processor_s: float) -> Seen:
    """A fleet as it is delivered, brought up."""
    pace = Pace(window=FixedWindow(first=window) if window else None)

    async def main(prepared: Prepared, wire: InProcess) -> tuple[Result, float, float]:
        result = await carry_out(prepared, wire, pace)
        return result, asyncio.get_running_loop().time(), wire.fleet.totals()["requests"]

    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        deliver(folder, racks)
        prepared = prepared_in(folder, racks, scenario.time.compression)
        delivered = description.load(prepared.files.supplier)
        wire = InProcess(delivered, scenario, processor_s=processor_s)
        random.seed(SEED)
        cpu = time.process_time()
        # The journal has a thread of its own, for which a computed clock cannot wait.
        with patch.object(journal_file, "ThreadPoolExecutor", AtOnce):
            result, seconds, requests = run(main(prepared, wire))
        return Seen(
            seconds=seconds,
            least=floor(prepared.plan, scenario, delivered),
            cpu_s=time.process_time() - cpu,
            window=pace.window.size,
            most=pace.most_in_flight,
            requests=requests,
            handed_over=sum(1 for rack in result.racks if rack.end == "handed-over"),
            isolated=sum(len(rack.isolated) for rack in result.racks),
        )


def sweep(racks: int, profile: str, windows: list[int], compression: float, processor_s: float) -> None:
    """Print a line as each run ends, and in the end how the self-tuned window compares."""
    scenario = scenario_of(profile, compression)
    print(f"{racks} racks, answers {profile}, machines {compression:g} times as fast")
    print(f"  {'window':>10} {'seconds':>8} {'/floor':>7} {'cpu s':>7} {'MiB':>6} {'at end':>7} {'most':>6}"
          f" {'requests':>9} {'racks':>6} {'lost':>5}", flush=True)  # fmt: skip
    seconds: dict[int, float] = {}
    for window in windows:
        seen = run_one(racks, scenario, window, processor_s)
        seconds[window] = seen.seconds
        rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {window or 'self-tuned':>10} {seen.seconds:>8.1f} {seen.seconds / seen.least.seconds:>7.2f}"
            f" {seen.cpu_s:>7.1f} {rss_mib:>6.0f} {seen.window:>7.0f} {seen.most:>6}"
            f" {seen.requests:>9.0f} {seen.handed_over:>6} {seen.isolated:>5}",
            flush=True,
        )
    fixed = [taken for window, taken in seconds.items() if window]
    if fixed and SELF_TUNED in seconds:
        print(f"  self-tuned is {seconds[SELF_TUNED] / min(fixed):.2f} times the best fixed window", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racks", type=int, nargs="+", default=[10, 50, 250])
    parser.add_argument("--profiles", nargs="+", choices=list(PROFILES), default=list(PROFILES))
    parser.add_argument("--windows", type=int, nargs="+", default=list(WINDOWS), help="0 tunes itself")
    parser.add_argument("--compression", type=float, help="how many times as fast machines are as real ones")
    parser.add_argument("--processor-ms", type=float, default=PROCESSOR_MS, help="computed for a request")
    options = parser.parse_args()
    end_on_sigterm()
    print(f"computed time, no network; {options.processor_ms:g} ms of the engine's processor for each request")
    for racks in options.racks:
        for profile in options.profiles:
            compression = options.compression or COMPRESSION.get(racks, 1.0)
            sweep(racks, profile, options.windows, compression, options.processor_ms / 1000)


if __name__ == "__main__":
    main()
