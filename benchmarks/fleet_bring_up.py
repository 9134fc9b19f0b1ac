"""Racks from the floor to "handed over" on the simulated fleet: the self-tuned window against fixed ones.

    python -m benchmarks.fleet_bring_up [--quick] [--racks 10 50 250] [--profiles quick typical slow] [--windows ...]

Each run is the whole bring-up of `region up --fleet` by a process of its own, on a fleet that is as it was delivered.
Printed beside the seconds: the ratio to the best fixed window, the ratio to the scenario's floor (fleet_floor.py),
processor time and memory of the engine, and how wide the window was. The simulator shares the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fleet_floor import Floor, floor
from benchmarks.termination import end_on_sigterm
from components.clients.bmc.supplier import read_supplier
from components.engine.bring_up.event import StepEvent
from components.engine.pace import Pace
from components.engine.window import Window
from components.plan.bring_up.compile import compile_bring_up
from components.spec import load
from components.spec.region import Region
from lab.fleet import description
from lab.fleet.kinds import Kind
from lab.fleet.scenario import Scenario
from stacks.bring_up import SIMULATED_ANSWER_S, BringUpFiles, Prepared, carry_out, prepare
from stacks.cli.simulator import Simulator
from stacks.project import CATALOGUE, region_folder

REGION = "essonne"
PROFILES = {"quick": (0.02, 0.1), "typical": (0.12, 0.9), "slow": (2.0, 6.0)}
"""Median and 99th percentile of an answer, in seconds; never compressed."""
WINDOWS = (32, 128, 512, 2048, 8192)
COMPRESSION = 60.0
QUICK = {"racks": [3], "profiles": ["quick", "slow"], "windows": [32, 512], "compression": 300.0}
"""Under five minutes on two cores that do nothing else."""


class FixedWindow(Window):
    """A setting."""

    def look(self, now: float, late_s: float, *, is_limited: bool) -> None:
        """Learn nothing."""


def region_of(racks: int) -> Region:
    """The region with its first racks only."""
    region = load(region_folder(REGION), CATALOGUE, references=Path(tempfile.gettempdir()) / "no-received-lists")
    return region.model_copy(update={"racks": region.racks[:racks]})


def scenario_of(profile: str, compression: float) -> Scenario:
    """A fleet in good order whose BMCs answer as the profile says."""
    median, p99 = PROFILES[profile]
    kinds = {kind.value: {"latency_s": {"p50": median, "p99": p99}} for kind in Kind}
    return Scenario.model_validate({"seed": 7, "time": {"compression": compression}, "kinds": kinds})


def prepared_in(folder: Path, racks: int, compression: float) -> Prepared:
    """The bring-up of a fleet that serves from `folder`."""
    files = BringUpFiles(
        journal=folder / "journal.db",
        supplier=folder / "fleet.json",
        passwords=folder / "passwords",
        firmware=folder / "firmware",
        nodes=folder / "nodes",
        ca=folder / "tls" / "ca.crt",
    )
    return prepare(region_of(racks), files=files, compression=compression, answer_s=SIMULATED_ANSWER_S)


def run_here(prepared: Prepared, window: int) -> dict[str, float]:
    """One bring-up in this process; window 0 tunes itself."""
    pace = Pace(window=FixedWindow(first=window) if window else None)
    steps = 0

    def count(_: StepEvent) -> None:
        nonlocal steps
        steps += 1

    cpu, began = time.process_time(), time.monotonic()
    result = asyncio.run(carry_out(prepared, observe=count, pace=pace))
    return {
        "seconds": time.monotonic() - began,
        "cpu_s": time.process_time() - cpu,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "window": pace.window.size,
        "most": pace.most_in_flight,
        "handed_over": sum(1 for rack in result.racks if rack.end == "handed-over"),
        "isolated": sum(len(rack.isolated) for rack in result.racks),
        "steps": steps,
    }


def run_one(region: Region, scenario: Scenario, window: int) -> tuple[dict[str, float], Floor]:
    """Start a fleet, bring it up in a process of its own, stop the fleet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "scenario.yaml"
        path.write_text(scenario.model_dump_json(exclude_unset=True))  # JSON is YAML
        with Simulator(folder, path, region) as simulator:
            words = [str(folder), str(len(region.racks)), str(scenario.time.compression), str(window)]
            command = [sys.executable, "-m", "benchmarks.fleet_bring_up", "--child", *words]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            delivered, _ = read_supplier(simulator.supplier)
            plan = compile_bring_up(region, delivered, None)
            least = floor(plan, scenario, description.load(simulator.supplier))
        return json.loads(done.stdout), least


def row(label: str, seen: dict[str, float], best_s: float, least_s: float) -> str:
    """One line of the table."""
    return (
        f"  {label:>10} {seen['seconds']:>8.1f} {seen['seconds'] / best_s:>7.2f} {seen['seconds'] / least_s:>7.2f}"
        f" {seen['cpu_s']:>7.1f} {seen['rss_mib']:>6.0f} {seen['window']:>7.0f} {seen['most']:>6.0f}"
        f" {seen['handed_over']:>6.0f} {seen['isolated']:>5.0f}"
    )


def compare(racks: int, profile: str, windows: list[int], compression: float) -> None:
    """A sweep of fixed windows and the one that tunes itself."""
    region, scenario = region_of(racks), scenario_of(profile, compression)
    seen: dict[int, dict[str, float]] = {}
    least: Floor | None = None
    for window in (*windows, 0):
        seen[window], least = run_one(region, scenario, window)
    assert least is not None
    best_s = min(found["seconds"] for window, found in seen.items() if window)
    forced = ", ".join(f"{key} {seconds:.1f}" for key, seconds in sorted(least.budgets_s.items()))
    print(
        f"{racks} racks, answers {profile}: floor {least.seconds:.1f} s (chain {least.chain_s:.1f}; budgets: {forced})"
    )
    print(f"  {'window':>10} {'seconds':>8} {'/best':>7} {'/floor':>7} {'cpu s':>7} {'MiB':>6} {'at end':>7} {'most':>6}"
          f" {'racks':>6} {'lost':>5}")  # fmt: skip
    for window, found in seen.items():
        print(row(str(window) if window else "self-tuned", found, best_s, least.seconds), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small form, under five minutes")
    parser.add_argument("--racks", type=int, nargs="+", default=[10, 50, 250])
    parser.add_argument("--profiles", nargs="+", choices=list(PROFILES), default=list(PROFILES))
    parser.add_argument("--windows", type=int, nargs="+", default=list(WINDOWS))
    parser.add_argument("--compression", type=float, default=COMPRESSION)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    end_on_sigterm()
    if options.child:
        folder, racks, compression, window = options.child
        with contextlib.redirect_stdout(sys.stderr):
            found = run_here(prepared_in(Path(folder), int(racks), float(compression)), int(window))
        print(json.dumps(found))
        return
    if options.quick:
        vars(options).update(QUICK)
    print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores; machines {options.compression:g} times as fast")
    for racks in options.racks:
        for profile in options.profiles:
            compare(racks, profile, options.windows, options.compression)


if __name__ == "__main__":
    main()
