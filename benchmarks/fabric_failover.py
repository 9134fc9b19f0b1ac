"""How long flows between two hosts are silent when the fabric fails.

    python benchmarks/fabric_failover.py [--region lab] [--rounds 2]

Needs the region up as far as the cluster layer: two hosts that speak BGP with both leaves. 16 UDP flows run
between their loopbacks, 10 ms apart. Beside each fault the same flows are watched with nothing happening: that
silence is the bench's own. Every fault is healed again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.plan.model import HostPlan
from stacks.project import ROOT, load_hardware

FLOWS = Path(__file__).with_name("flows.py")
QUIET_S = 3.0
FAULT_S = 5.0
RETURN_S = 12.0
HOLD_TIME_S = 9.0
"""What BGP alone would need to see a silent fault, with the fabric's timers."""


@dataclass(frozen=True)
class Fault:
    """Something that fails, and how it is healed; commands of `python -m lab`."""

    name: str
    target_s: float | None
    begin: tuple[tuple[str, ...], ...]
    heal: tuple[tuple[str, ...], ...]
    hides_carrier: bool = False
    """Only BFD or BGP's own timers find it."""


def faults(host: HostPlan) -> list[Fault]:
    leaf = host.leaves[0]
    return [
        Fault(
            "uplink dies silently, carrier stays",
            0.5,
            (("silent", host.name, "eth1", "on"),),
            (("silent", host.name, "eth1", "off"),),
            hides_carrier=True,
        ),
        Fault("uplink is pulled", None, (("link", host.name, "eth1", "down"),), (("link", host.name, "eth1", "up"),)),
        Fault("leaf loses power", 0.1, (("power", "cut", leaf),), (("power", "on", leaf),)),
    ]


def lab(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"lab {' '.join(words)}: {done.stdout}{done.stderr}")


def inside(host: str, *argv: str) -> list[str]:
    return ["ip", "netns", "exec", host, sys.executable, str(FLOWS), *argv]


@contextmanager
def echoing(host: HostPlan) -> Generator[None]:
    server = subprocess.Popen(inside(host.name, "echo", host.loopback), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready", f"{host.name} has no loopback {host.loopback}"
        yield
    finally:
        server.kill()
        server.wait()


def uplinks(host: HostPlan, target: HostPlan) -> int:
    """Next hops in the kernel of a host to another."""
    done = subprocess.run(
        ["ip", "-n", host.name, "-j", "route", "show", f"{target.loopback}/32"],
        capture_output=True,
        text=True,
        check=True,
    )
    routes: list[dict[str, list[object]]] = json.loads(done.stdout or "[]")
    return len(routes[0].get("nexthops", [1])) if routes else 0


def wait_until_redundant(a: HostPlan, b: HostPlan, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while min(uplinks(a, b), uplinks(b, a)) < len(a.leaves):
        if time.monotonic() > deadline:
            sys.exit(f"{a.name} and {b.name} do not see each other over both leaves: region verify lab --layer fabric")
        time.sleep(0.5)
    time.sleep(2)


def longest(silences: list[tuple[int, float, float]], begin: float, end: float) -> float:
    """Longest silence that began in this stretch, over all flows."""
    return max((until - since for _, since, until in silences if begin <= since < end), default=0.0)


def measure(fault: Fault, a: HostPlan, b: HostPlan) -> tuple[float, float, float]:
    """Longest silence with nothing happening, from the fault on, and from the healing on."""
    wait_until_redundant(a, b)
    whole = QUIET_S + FAULT_S + RETURN_S + 10
    probe = subprocess.Popen(inside(a.name, "probe", a.loopback, b.loopback, str(whole)), stdout=subprocess.PIPE)
    started = time.monotonic()
    try:
        time.sleep(QUIET_S)
        failing = time.monotonic()
        for words in fault.begin:
            lab(*words)
        time.sleep(FAULT_S)
    finally:
        healing = time.monotonic()
        for words in fault.heal:
            lab(*words)
    out, _ = probe.communicate()
    silences: list[tuple[int, float, float]] = json.loads(out)
    return (
        longest(silences, started + 1, failing - 0.5),
        longest(silences, failing - 0.5, healing),
        longest(silences, healing, healing + whole),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    running = [h for h in load_hardware(arguments.region).deployed_hosts if Path("/run/netns", h.name).exists()]
    if len(running) < 2:
        sys.exit("two running hosts are needed: region up lab")
    a, b = running[0], running[1]
    with echoing(b):
        for fault in faults(a):
            rounds = [measure(fault, a, b) for _ in range(arguments.rounds)]
            quiet, silent, back = (max(column) for column in zip(*rounds, strict=True))
            target = f"  target {fault.target_s * 1000:.0f} ms" if fault.target_s else ""
            print(
                f"{fault.name:<36} {silent * 1000:5.0f} ms{target}  return {back * 1000:4.0f} ms"
                f"  nothing happening {quiet * 1000:4.0f} ms"
            )
            if fault.hides_carrier:
                print(f"{'':<36} BGP's hold timer alone would take {HOLD_TIME_S / silent:.0f} times as long")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
