"""The same leaf-spine fabric rendered here and with pyavd, side by side, at 64, 256 and 1,008 switches.

    python -m benchmarks.pyavd [--rounds 2]

Both read a description, check it and write the configuration of every switch: pyavd for EOS, ours for Cumulus and
for FRR. Each runs in a process of its own, pyavd in an environment that is made on demand from
`benchmarks/bench.lock`. That both do the same work is shown by reading their outputs back: AS number, router id,
loopback, MTU, BFD, and every session with the AS number at its other end. What pyavd does and ours does not is
printed too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.avd.fabric import ROOT, SIZES, Json, describe, topology
from benchmarks.avd.meaning import differences

NOT_OURS = (
    "VXLAN and EVPN, tenants' VRFs, SVIs, MLAG and port channels",
    "IPv4 links numbered by the tool, OSPF, IS-IS and MPLS underlays",
    "EOS itself and its management plane: accounts, AAA, SNMP, streaming telemetry, CloudVision",
    "documentation of the fabric and tests of it with ANTA",
)


def ours(region: Path, out: Path) -> None:
    """From the description to both configurations of every switch, in this process."""
    from components.plan import compile_region
    from components.plan.frr import switch_config
    from components.plan.pending import pending_index
    from components.plan.renders.switches import config_text
    from components.spec import load
    from stacks.project import kept

    steps: dict[str, float] = {}
    wall, began = time.perf_counter(), time.process_time()

    def step(name: str) -> None:
        nonlocal began
        now = time.process_time()
        steps[name], began = now - began, now

    with kept():
        spec = load(region, region.parent / "_catalogue", project=ROOT)
        step("validate")
        plan = compile_region(spec, pending_index(spec))
        step("plan")
    configs = {"cumulus": {s.name: config_text(s, plan) for s in plan.fabric.switches}}
    step("devices")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    elapsed = time.perf_counter() - wall
    configs["frr"] = {s.name: switch_config(s, plan) for s in plan.fabric.switches}
    step("devices (FRR instead)")
    peers = {s.name: {p.name: p.peer for p in s.ports if p.peer_kind != "host"} for s in plan.fabric.switches}
    document = {"steps": steps, "wall": elapsed, "peak_mib": peak, "configs": configs, "peers": peers}
    out.write_text(json.dumps(document))


def peer_python() -> Path:
    """The interpreter of pyavd's environment, which is made anew when its lock changes."""
    lock, environment = ROOT / "benchmarks/bench.lock", ROOT / ".tools/bench"
    digest, stamp = hashlib.sha256(lock.read_bytes()).hexdigest(), environment / ".made-from"
    python = environment / "bin/python"
    if not stamp.is_file() or stamp.read_text() != digest:
        uv = ROOT / ".tools/uv/bin/uv"
        settings = {
            **os.environ,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "VIRTUAL_ENV": str(environment),
        }
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, environment], check=True, env=settings)
        subprocess.run([uv, "pip", "sync", "-q", "--require-hashes", lock], check=True, env=settings)
        stamp.write_text(digest)
    return python


def run(command: list[str | Path], out: Path) -> Json:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return json.loads(out.read_text())


def seconds(result: Json) -> float:
    return sum(value for name, value in result["steps"].items() if "instead" not in name)


def measure(size: int, rounds: int) -> tuple[Json, Json, Json]:
    fabric = topology(size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "topology.json").write_text(json.dumps(fabric))
        region, out = describe(fabric, folder), folder / "out.json"
        peer: list[str | Path] = [peer_python(), ROOT / "benchmarks/avd/render.py", folder / "topology.json", out]
        mine: list[str | Path] = [sys.executable, "-m", "benchmarks.pyavd", "--ours", region, "--out", out]
        # In turn, so that what else the machine does meets both.
        results = [(run(mine, out), run(peer, out)) for _ in range(rounds)]
    avd = min((a for _, a in results), key=seconds)
    return fabric, avd, min((m for m, _ in results), key=seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        ours(arguments.ours, arguments.out)
        return
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; processor time, best of {arguments.rounds} rounds in turn; imports left out")
    rows: dict[int, tuple[Json, Json, Json]] = {}
    for size in SIZES:
        rows[size] = fabric, avd, mine = measure(size, arguments.rounds)
        links = sum(len(switch["ports"]) for switch in fabric["switches"])
        print(f"\n{size} switches, {links} links; pyavd {avd['version']}", flush=True)
        for name, result in (("pyavd", avd), ("ours", mine)):
            steps = ", ".join(f"{step} {value:.2f}" for step, value in result["steps"].items())
            each, peak = 1000 * seconds(result) / size, result["peak_mib"]
            print(f"  {name:6} {seconds(result):8.2f} s  {each:7.2f} ms a switch  {peak:7.0f} MiB   ({steps})")
        print(f"  ratio  {seconds(avd) / seconds(mine):8.1f}     {'':20} {avd['peak_mib'] / mine['peak_mib']:10.1f}")
        wrong = list(differences(fabric, avd, mine))
        print(
            f"  read back: {size - len(wrong)} of {size} switches mean the same in EOS, Cumulus and FRR",
            *wrong[:3],
            sep="\n    ",
        )
        if wrong:
            raise SystemExit(1)
    small, large = min(rows), max(rows)
    more = [(seconds(rows[large][k]) - seconds(rows[small][k])) * 1000 / (large - small) for k in (1, 2)]
    print(f"\neach further switch: pyavd {more[0]:.2f} ms, ours {more[1]:.2f} ms, ratio {more[0] / more[1]:.1f}")
    print("pyavd does, and ours does not:", *NOT_OURS, sep="\n  - ")


if __name__ == "__main__":
    main()
