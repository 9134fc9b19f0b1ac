"""How long the lab takes from nothing to a served request, by phase, and what it costs in memory.

    python benchmarks/bring_up.py [--region lab] [--keep]

Starts from a machine without a lab, with the pinned programs and images built. Prints each phase, the second
run, the preview, and the memory of the lab by program (PSS, so shared pages are counted once). The lab and the
region's local state are removed first, and at the end unless --keep is given.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from stacks.cli.environment import search_path
from stacks.project import ROOT, load_plan

TARGETS_S = {"from nothing to a served request": 360.0, "second run of region up": 40.0, "region preview": 20.0}
TARGET_GIB = 6.0
ENVIRONMENT = {**os.environ, "PATH": search_path(), "NO_COLOR": "1"}


def timed(*command: str) -> tuple[float, str]:
    """Run a command; returns its seconds and standard output. Ends the benchmark if it fails."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return time.monotonic() - began, done.stdout


def phases(output: str) -> list[tuple[str, float]]:
    """(layer, seconds) of a `region up --json`."""
    results = [json.loads(line) for line in output.splitlines()]
    return [(p["layer"], p["seconds"]) for r in results if r["kind"] == "result" for p in r["phases"]]


def request_s(region: str) -> float:
    """Seconds of one request through the gateway to a service that sleeps."""
    plan = load_plan(region)
    request = urllib.request.Request(
        f"http://{plan.runtime.gateway_vip}/", headers={"Host": plan.runtime.services[0].host}
    )
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 an address of the plan
        answer.read()
    return time.monotonic() - began


def memory_mib() -> dict[str, float]:
    """PSS by program of everything that runs on this machine, in MiB."""
    used: dict[str, float] = defaultdict(float)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            program = (folder / "comm").read_text().strip()
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    used[program] += int(line.split()[1]) / 1024
        except (OSError, ValueError):
            continue
    return used


def row(name: str, seconds: float) -> None:
    """One line, with the ratio to its target where there is one."""
    target = TARGETS_S.get(name)
    print(
        f"{name:42}{seconds:8.1f} s" + (f"   {seconds / target:5.2f} of the {target:.0f} s allowed" if target else ""),
        flush=True,
    )


def main() -> None:
    """Run all phases once and print them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--region", default="lab")
    arguments.add_argument("--keep", action="store_true", help="leave the lab running at the end")
    given = arguments.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    timed("python", "-m", "lab", "down", "--purge")
    timed("region", "forget", given.region, "--yes")
    before = memory_mib()
    seconds, wiring = timed("region", "export", given.region, "wiring")
    (ROOT / ".lab").mkdir(exist_ok=True)
    (ROOT / ".lab" / "wiring.json").write_text(wiring)
    started, _ = timed("python", "-m", "lab", "up")
    row("lab: datacenter and publishing", started)
    up, output = timed("region", "up", given.region, "--json")
    for layer, taken in phases(output):
        row(f"  {layer}", taken)
    row("region up", up)
    called = request_s(given.region)
    row("first request, from zero", called)
    row("from nothing to a served request", seconds + started + up + called)
    row("second run of region up", timed("region", "up", given.region, "--json")[0])
    row("region preview", timed("region", "preview", given.region, "--json")[0])
    used = {name: mib - before.get(name, 0.0) for name, mib in memory_mib().items()}
    total = sum(used.values()) / 1024
    print(f"memory {total:.2f} GiB, {total / TARGET_GIB:.2f} of the {TARGET_GIB:.0f} GiB allowed")
    for name, mib in sorted(used.items(), key=lambda item: -item[1])[:15]:
        print(f"  {name:30}{mib:8.0f} MiB")
    if not given.keep:
        timed("python", "-m", "lab", "down", "--purge")


if __name__ == "__main__":
    main()
