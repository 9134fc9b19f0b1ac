"""How long a region takes from its description to every file, and what it costs in memory.

    python -m benchmarks.compile [--region essonne] [--rounds 3]

Three questions, each answered in processes of their own, so that nothing is warm and peak memory is of that size
alone: the region as it is, with every render and export; the same region at 16 to 500 racks, with the exponent of
a fit over their logarithms (1 is linear); and one rack that changed, with what is kept in memory from before.
One thread does it all, so processor time is what it takes where a core is free, and verdicts are about it; wall time
is that of this run, beside whatever else the machine does. Both are the best of the rounds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.scaled_region import ROOT, scaled

SIZES = (16, 32, 63, 125, 250, 500)
TARGET_S, TARGET_GIB, TARGET_DEVICE_MS, TARGET_RACK_S = 8.0, 1.0, 2.0, 1.0
Result = dict[str, Any]
T = TypeVar("T")


class Clock:
    """Wall and processor seconds of each part, in order."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[float, float]] = {}

    def time(self, part: str, work: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.parts[part] = (time.perf_counter() - wall, time.process_time() - cpu)
        return result


def measure(region: Path) -> Result:
    """One region from its files to every file, in this process."""
    clock = Clock()
    clock.time("imports", _imports)
    from components.plan import compile_region
    from components.plan.exports import EXPORTS
    from components.plan.pending import pending_index
    from components.plan.renders import RENDERS
    from components.spec import load
    from stacks.project import kept

    with kept():  # as every command does
        spec = clock.time("description", lambda: load(region, ROOT / "stacks/regions/_catalogue", project=ROOT))
        index = pending_index(spec)
        plan = clock.time("plan", lambda: compile_region(spec, index))
    sizes: dict[str, tuple[int, int]] = {}
    for name, render in {**RENDERS, **EXPORTS}.items():
        sizes[name] = clock.time(name, lambda render=render: _count(render.files(plan)))
    changed = Clock()
    made = changed.time("one rack", lambda: _one_rack(spec, index, plan))
    return {
        "parts": clock.parts,
        "sizes": sizes,
        "racks": len(plan.racks),
        "switches": len(plan.fabric.switches),
        "hosts": len(plan.deployed_hosts),
        "cables": len(plan.networks.cables),
        "one_rack": changed.parts["one rack"],
        "made": made,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _imports() -> None:
    for name in ("components.plan.exports", "components.plan.pending", "stacks.project"):
        importlib.import_module(name)


def _count(files: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Files and bytes; each is let go when it is made, as it would be when it is written."""
    count = size = 0
    for _, text in files:
        count += 1
        size += len(text)
    return count, size


def _one_rack(spec: Any, index: Any, old: Any) -> list[str]:
    """The last tray of a rack becomes a spare: a new plan, and the files that it touches."""
    from components.plan import compile_region
    from components.plan.renders import RENDERS
    from components.spec.rack import Role
    from stacks.project import kept

    rack = spec.racks[len(spec.racks) // 2]
    tray = rack.trays[0].model_copy(update={"role": Role.SPARE})
    other = rack.model_copy(update={"trays": (tray, *rack.trays[1:])})
    racks = tuple(other if each is rack else each for each in spec.racks)
    with kept():
        new = compile_region(spec.model_copy(update={"racks": racks}), index)
    return [f"{name}/{path}" for name, render in RENDERS.items() for path, _ in render.changed(old, new)]


def in_a_process(region: Path) -> Result:
    command = [sys.executable, "-m", "benchmarks.compile", "--child", str(region)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return json.loads(done.stdout)


def best(region: Path, rounds: int) -> Result:
    results = [in_a_process(region) for _ in range(rounds)]
    parts = {name: tuple(min(r["parts"][name][k] for r in results) for k in (0, 1)) for name in results[0]["parts"]}
    one_rack = [min(r["one_rack"][k] for r in results) for k in (0, 1)]
    return {**results[0], "parts": parts, "one_rack": one_rack, "peak_mib": max(r["peak_mib"] for r in results)}


def total(result: Result, clock: int) -> float:
    return sum(part[clock] for part in result["parts"].values())


def exponent(points: list[tuple[int, float]]) -> float:
    """Slope of a straight line through the logarithms, by least squares."""
    xs, ys = [math.log(n) for n, _ in points], [math.log(s) for _, s in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def per_device_ms(result: Result) -> tuple[float, float]:
    """Of a switch, and of all devices with configuration text: switches, and hosts with their variables."""
    switches = result["parts"]["switches"][1]
    text = switches + result["parts"]["inventories"][1]
    return 1000 * switches / result["switches"], 1000 * text / (result["switches"] + result["hosts"])


def verdict(found: float, target: float, unit: str) -> str:
    return f"target <= {target:g} {unit}: {'met' if found <= target else 'MISSED'}"


def show(region: str, result: Result) -> None:
    print(f"\n{region}: {result['racks']} racks, {result['hosts']} hosts, {result['switches']} switches, ", end="")
    print(f"{result['cables']} cables")
    print(f"  {'part':14} {'wall s':>8} {'cpu s':>8} {'files':>7} {'MB':>7}")
    for name, (wall, cpu) in result["parts"].items():
        files, size = result["sizes"].get(name, ("", 0))
        print(f"  {name:14} {wall:8.2f} {cpu:8.2f} {files:>7} {f'{size / 1e6:.1f}' if size else '':>7}")
    cpu = total(result, 1)
    print(f"  {'total':14} {total(result, 0):8.2f} {cpu:8.2f}   {verdict(cpu, TARGET_S, 's')}")
    gib = result["peak_mib"] / 1024
    print(f"  peak memory    {gib:8.2f} GiB        {verdict(gib, TARGET_GIB, 'GiB')}")
    switch, device = per_device_ms(result)
    print(f"  configuration text: {switch:.2f} ms a switch, {device:.3f} ms a device that has any", end="")
    print(f"   {verdict(switch, TARGET_DEVICE_MS, 'ms')}")
    wall, cpu = result["one_rack"]
    print(f"  one changed rack, new plan and {len(result['made'])} files: {wall:.2f} s wall, {cpu:.2f} s cpu", end="")
    print(f"   {verdict(cpu, TARGET_RACK_S, 's')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="essonne")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.child)))
        return
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; best of {arguments.rounds} rounds")
    show(arguments.region, best(ROOT / "stacks/regions" / arguments.region, arguments.rounds))
    points: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        print(
            f"\n  {'racks':>6} {'devices':>8} {'total s':>8} {'cpu s':>7} {'plan s':>7} {'text s':>7} {'GiB':>6} {'one rack s':>11}"
        )
        for racks in SIZES:
            place = Path(folder) / str(racks)
            place.mkdir()
            result = best(scaled(place, racks), arguments.rounds)
            points.append({**result, "racks": racks})
            text = result["parts"]["switches"][0] + result["parts"]["inventories"][0]
            print(
                f"  {racks:6} {result['hosts'] + result['switches']:8} {total(result, 0):8.2f} {total(result, 1):7.2f}"
                f" {result['parts']['plan'][0]:7.2f} {text:7.2f} {result['peak_mib'] / 1024:6.2f}"
                f" {result['one_rack'][0]:11.2f}"
            )
    measures = {
        "total without imports": [total(r, 1) - r["parts"]["imports"][1] for r in points],
        "plan": [r["parts"]["plan"][1] for r in points],
        "configuration text": [r["parts"]["switches"][1] + r["parts"]["inventories"][1] for r in points],
    }
    for what, seconds in measures.items():
        slope = exponent([(r["racks"], s) for r, s in zip(points, seconds, strict=True)])
        print(f"  exponent of {what} over racks: {slope:.2f}")


if __name__ == "__main__":
    main()
