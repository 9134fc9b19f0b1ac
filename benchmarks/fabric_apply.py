"""How long a change of the fabric's switches takes: all in parallel as one transaction, beside one after another.

    python benchmarks/fabric_apply.py [--region lab] [--rounds 3]

Adds an unused prefix list to every switch, takes it out again, and asks once more with nothing to do. The peer
run changes the same switches with the same care, each in a transaction of its own, in turn. The switches are
left as they were found, or as described if they were never configured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from components.engine.journal import Journal
from components.plan.resources import switch_group_inputs
from components.provider.handler import Context
from components.provider.switch_config import SwitchConfigHandler
from stacks.project import ROOT, load_hardware

PROBE = "ip prefix-list BENCHMARK seq 5 permit 10.255.255.255/32\n!\nbfd\n"
TARGET_S = {"change": 4.0, "nothing to do": 1.2}


def with_probe(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same group with one more line on every switch; nothing refers to it, so no route moves."""
    switches = {
        name: {**switch, "config": switch["config"].replace("bfd\n profile", f"{PROBE} profile", 1)}
        for name, switch in inputs["switches"].items()
    }
    return {**inputs, "switches": switches}


def one(inputs: dict[str, Any], name: str) -> dict[str, Any]:
    return {**inputs, "switches": {name: {**inputs["switches"][name], "peers": {}}}}


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.monotonic()
    await work()
    return time.monotonic() - began


async def measure(region: str, rounds: int) -> dict[str, list[float]]:
    inputs = switch_group_inputs(load_hardware(region))
    changed = with_probe(inputs)
    handler = SwitchConfigHandler()
    times: dict[str, list[float]] = {"change": [], "nothing to do": [], "change, one by one": []}
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.db") as journal:
        context = Context(project=ROOT, region=region, journal=journal)

        async def bring(group: dict[str, Any]) -> None:
            await handler.create("benchmark", group, context)

        async def in_turn(group: dict[str, Any]) -> None:
            for name in group["switches"]:
                await bring(one(group, name))

        await bring(inputs)
        for _ in range(rounds):
            times["change"].append(await timed(lambda: bring(changed)))
            times["nothing to do"].append(await timed(lambda: bring(changed)))
            await bring(inputs)
            times["change, one by one"].append(await timed(lambda: in_turn(changed)))
            await bring(inputs)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    times = asyncio.run(measure(arguments.region, arguments.rounds))
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, load {load:.1f}")
    for what, seconds in times.items():
        target = f"  target {TARGET_S[what]:.1f} s" if what in TARGET_S else ""
        print(f"{what:<20} median {statistics.median(seconds):5.2f} s  worst {max(seconds):5.2f} s{target}")
    ratio = statistics.median(times["change, one by one"]) / statistics.median(times["change"])
    print(f"one by one takes {ratio:.1f} times as long as one transaction over all switches")


if __name__ == "__main__":
    main()
