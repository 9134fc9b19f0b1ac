"""The same bring-up by this project's engine, by plain sushy in threads, and, as far as it goes, by a stock Ironic.

    python -m benchmarks.fleet_peers [--racks 3] [--profile typical] [--compression 60] [--threads 64 256]
                                     [--ironic-racks 1] [--ironic stock kept] [--without faults ironic]

Three tables, each way in a process of its own on a fleet as delivered. All of a rack in good order: the script goes
kind by kind, and by the waits of the catalogue, with each number of threads (the best of them is in the other tables);
engine and script have to do the same deeds to each endpoint, by the simulator's ledger, or the run ends in an error.
All of a rack with `FAULTS`: how many endpoints get to their goal, and how many deeds are done beyond those of the first
table. The compute trays' share of it that Ironic has an answer to (BIOS, Secure Boot, boot mode, power), by all three.
The engine's hand-over has no Ironic behind it here. The simulator shares the machine. Needs PostgreSQL for the last
table: `apt-get install postgresql`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import peers_deeds
from benchmarks.fleet_bring_up import COMPRESSION, PROFILES, prepared_in, region_of, run_here, scenario_of
from benchmarks.fleet_floor import floor, floor_by_kind
from benchmarks.peers_deeds import Account, Once
from benchmarks.termination import end_on_sigterm
from components.clients.bmc.supplier import read_supplier
from components.plan.bring_up.compile import Plan, compile_bring_up
from lab.fleet import description
from lab.fleet.description import Description
from lab.fleet.scenario import Scenario
from stacks.cli.simulator import Simulator

THREADS = (64, 256)
SHARE = 0.02
FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "slow", "share": SHARE, "factor": 10},
    {"fault": "flapping", "share": SHARE, "up_requests": 20, "down_requests": 10},
    {"fault": "answer_lost", "share": SHARE, "rate": 0.1},
    {"fault": "dropped", "share": SHARE, "rate": 0.1},
    {"fault": "errors", "share": SHARE, "rate": 0.2},
    {"fault": "stuck_task", "share": SHARE},
    {"fault": "failed_task", "share": SHARE},
)
"""Each of them in 2 % of the endpoints."""
OURS = "0"
BY_CATALOGUE = ":catalogue"
"""After a number of threads: not kind by kind."""
IRONICS = {"stock": "redfish", "kept": "redfish-kept-key"}
_NOT_COMPARED = frozenset({"password_change"})
"""Deeds that Ironic has no step for."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """What one way took, and what its fleet was like in the end."""

    label: str
    found: dict[str, Any]
    account: Account
    plan: Plan
    delivered: Description


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the ways of one table do."""

    racks: int
    scenario: Scenario
    is_part: bool = False
    """Whether only what Ironic can."""

    def way(self, way: str) -> Way:
        """Start a fleet as delivered, have it brought up in a process of its own, stop it, look at it."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = folder / "scenario.yaml"
            path.write_text(self.scenario.model_dump_json(exclude_unset=True))  # JSON is YAML
            with Simulator(folder, path, region_of(self.racks)) as simulator:
                command = [sys.executable, "-m", "benchmarks.fleet_peers", "--child", name, str(self.racks)]
                command += [str(self.scenario.time.compression), "part" if self.is_part else "all", way]
                done = subprocess.run(command, check=False, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(done.stderr)
                plan = compile_bring_up(region_of(self.racks), read_supplier(simulator.supplier)[0], None)
                delivered = description.load(simulator.supplier)
            plan = peers_deeds.part_of_ironic(plan) if self.is_part else plan
            found, account = json.loads(done.stdout), peers_deeds.read(folder, plan)
        label = label_of(way)
        print(f"{label}: {found['seconds']:.1f} s, load {os.getloadavg()[0]:.0f}", file=sys.stderr, flush=True)
        return Way(label=label, found=found, account=account, plan=plan, delivered=delivered)


def label_of(way: str) -> str:
    """What a way is called in the tables."""
    threads, _, order = way.partition(":")
    if not threads.isdecimal():
        return f"Ironic, {next(name for name, each in IRONICS.items() if each == way)}"
    return "this project" if way == OURS else f"sushy, {threads} by {order or 'kind'}"


def child(folder: Path, racks: int, compression: float, part: str, way: str) -> dict[str, Any]:
    """One way in this process: 0 for the engine, a number of threads of sushy (with `:catalogue` in the catalogue's
    order), or a hardware type of Ironic."""
    prepared = prepared_in(folder, racks, compression)
    if part == "part":
        prepared = replace(prepared, plan=peers_deeds.part_of_ironic(prepared.plan))
    if way == OURS:
        return run_here(prepared, 0)
    threads, _, order = way.partition(":")
    if not threads.isdecimal():
        from benchmarks import peers_ironic

        return peers_ironic.run(prepared.plan, prepared.factory, prepared.files.ca, compression, way)
    from benchmarks import peers_sushy  # the peers: only their own processes pay for them
    from benchmarks.peers_sushy_machine import Script

    script = Script(
        plan=prepared.plan,
        packages={kind: path.read_bytes() for kind, path in prepared.packages.items()},
        factory=prepared.factory,
        ca=str(prepared.files.ca),
        compression=compression,
    )
    cpu, began = time.process_time(), time.monotonic()
    script.mint(folder / "minted.json")
    first, failed = peers_sushy.bring_up(script, int(threads), by_kind=not order)
    return {
        "seconds": time.monotonic() - began,
        "cpu_s": time.process_time() - cpu,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "most": int(threads),
        "failed_first": first,
        "failed": failed,
    }


def show(ways: list[Way], wanted: Once | None = None) -> None:
    """The table; ratios are to the first way, deeds beyond `wanted` are told."""
    count = sum(len(rack.endpoints) for rack in ways[0].plan.racks)
    print(f"  {'way':>24} {'seconds':>8} {'/ours':>6} {'cpu s':>7} {'ms each':>8} {'MiB':>6} {'width':>6}"
          f" {'at goal':>11} {'requests':>9}  deeds too many")  # fmt: skip
    for way in ways:
        found = way.found
        more = peers_deeds.repeated(way.plan, way.account, wanted) if wanted else Counter[str]()
        print(
            f"  {way.label:>24} {found['seconds']:>8.1f} {found['seconds'] / ways[0].found['seconds']:>6.2f}"
            f" {found['cpu_s']:>7.1f} {found['cpu_s'] / count * 1e3:>8.0f} {found['rss_mib']:>6.0f}"
            f" {found['most']:>6.0f} {len(way.account.reached):>5}/{count:<5} {way.account.requests:>9}"
            f"  {', '.join(f'{deed} {n}' for deed, n in sorted(more.items())) or '-'}",
            flush=True,
        )
        for name, reason in list(found.get("failed", {}).items())[:5]:
            print(f"      {name}: {' '.join(reason.split())[:150]}")


def in_good_order(task: Task, scripts: list[str]) -> tuple[Once, str]:
    """The first table: what is done to each kind of endpoint, and the way of the script that was best."""
    ours = task.way(OURS)
    wanted = peers_deeds.once(ours.plan, ours.account)
    theirs = {script: task.way(script) for script in scripts}
    for way in (ours, *theirs.values()):
        peers_deeds.assert_same(way.plan, way.account, wanted)
    least = floor(ours.plan, task.scenario, ours.delivered)
    by_kind_s = floor_by_kind(ours.plan, task.scenario, ours.delivered)
    print(f"all of {task.racks} racks in good order; machines alone take {least.machines_s:.1f} s in the order of the"
          f" catalogue ({least.seconds:.1f} s with answers and budgets), {by_kind_s:.1f} s kind by kind")  # fmt: skip
    print(
        "\n".join(
            f"  to each {kind}: {', '.join(f'{d} {n}' for d, n in deeds.items())}" for kind, deeds in wanted.items()
        )
    )
    show([ours, *theirs.values()])
    return wanted, min(theirs, key=lambda script: theirs[script].found["seconds"])


def with_faults(task: Task, best: str, wanted: Once) -> None:
    """The second table."""
    calm = task.scenario.model_dump(mode="json", exclude_unset=True)
    task = replace(task, scenario=Scenario.model_validate({**calm, "faults": list(FAULTS)}))
    ours, script = task.way(OURS), task.way(best)
    print(f"\nall of {task.racks} racks; {', '.join(f['fault'] for f in FAULTS)}: each in {SHARE:.0%}")
    show([ours, script], wanted)
    print(f"  the engine isolated {ours.found['isolated']} endpoints and handed {ours.found['handed_over']} racks over"
          f" whole; the script failed with {script.found['failed_first']}, and with {len(script.found['failed'])} after"
          " those were tried again")  # fmt: skip


def share_of_ironic(task: Task, best: str, ironics: list[str]) -> None:
    """The third table."""
    from benchmarks.peers_ironic import WITHOUT

    ways = [task.way(way) for way in (OURS, best, *(IRONICS[name] for name in ironics))]
    wanted = peers_deeds.once(ways[0].plan, ways[0].account)
    for way in ways:
        if not way.found.get("failed"):
            peers_deeds.assert_same(way.plan, way.account, wanted, but=_NOT_COMPARED)
    print(f"\nthe compute trays of {task.racks} racks: BIOS, Secure Boot, boot mode, power; by the first two also")
    print("password, serial number (and by this project slot and leaks)")
    show(ways)
    print("  not done by Ironic:", *WITHOUT, sep="\n  - ")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racks", type=int, default=3)
    parser.add_argument("--profile", choices=list(PROFILES), default="typical")
    parser.add_argument("--compression", type=float, default=COMPRESSION)
    parser.add_argument("--threads", type=int, nargs="+", default=list(THREADS))
    parser.add_argument("--ironic-racks", type=int, default=1)
    parser.add_argument("--ironic", nargs="+", choices=list(IRONICS), default=list(IRONICS))
    parser.add_argument("--without", nargs="+", choices=["faults", "ironic"], default=[])
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    end_on_sigterm()
    if options.child:
        folder, racks, compression, share, way = options.child
        with contextlib.redirect_stdout(sys.stderr):
            found = child(Path(folder), int(racks), float(compression), share, way)
        print(json.dumps(found))
        return
    print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores; answers {options.profile}, machines"
          f" {options.compression:g} times as fast")  # fmt: skip
    scenario = scenario_of(options.profile, options.compression)
    task = Task(racks=options.racks, scenario=scenario)
    scripts = [f"{threads}{order}" for order in ("", BY_CATALOGUE) for threads in options.threads]
    wanted, best = in_good_order(task, scripts)
    if "faults" not in options.without:
        with_faults(task, best, wanted)
    if "ironic" not in options.without:
        scenario = scenario.model_copy(update={"factory_password_must_change": False})
        share_of_ironic(Task(racks=options.ironic_racks, scenario=scenario, is_part=True), best, options.ironic)


if __name__ == "__main__":
    main()
