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
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZES = {64: (1, 56), 256: (4, 56), 1008: (14, 64)}
"""Switches -> planes, and leaves in each beside eight spines."""
SPINES = 8
SPINE_AS, LEAF_AS = 65000, 4200001000
MTU, BFD_MS, BFD_N = 9000, 300, 3
LOOPBACKS = "10.0.0.0/20"
NOT_OURS = (
    "VXLAN and EVPN, tenants' VRFs, SVIs, MLAG and port channels",
    "IPv4 links numbered by the tool, OSPF, IS-IS and MPLS underlays",
    "EOS itself and its management plane: accounts, AAA, SNMP, streaming telemetry, CloudVision",
    "documentation of the fabric and tests of it with ANTA",
)

NETWORK = """
pools:
  oob: {{network: 172.16.0.0/12, gateway: 172.30.0.1, switches: 172.16.0.0/20, hosts: 172.20.0.0/26,
    racks: 172.20.4.0/24, rack_prefix: 26}}
  switch_loopbacks: {loopbacks}
  host_loopbacks: 10.1.0.0/24
  service_vips: 10.1.2.0/28
  edge_links: 10.1.3.0/28
  pods: 10.244.0.0/16
  services: 10.96.0.0/16
  slots_per_rack: 4
scalable_unit: {{racks: 1, island_units: 16}}
asns: {{spine: {spine_as}, leaf: {leaf_as}-{last_as}, host: 65200-65299}}
fabric:
  switch: sn5600
  switch_os: cumulus
  mtu: {mtu}
  bfd: {{interval_ms: {bfd_ms}, multiplier: {bfd_n}}}
  spines:
{spines}
  leaves:
{leaves}
"""

Json = dict[str, Any]


def topology(size: int) -> Json:
    """The fabric as data: each leaf has a link to every spine of its plane."""
    planes, leaves = SIZES[size]
    switches: list[Json] = []
    for plane in range(1, planes + 1):
        first = (plane - 1) * (SPINES + leaves)
        spines = [_switch(f"p{plane:02d}-spine{k}", first + k, "spine", plane, SPINE_AS) for k in range(1, SPINES + 1)]
        switches += spines
        for n in range(1, leaves + 1):
            id = first + SPINES + n
            leaf = _switch(f"p{plane:02d}-leaf{n:02d}", id, "leaf", plane, LEAF_AS + id)
            leaf["ports"] = [
                {"port": 64 - SPINES + k, "peer": spine["name"], "peer_port": n}
                for k, spine in enumerate(spines, start=1)
            ]
            switches.append(leaf)
    settings = {"mtu": MTU, "bfd_ms": BFD_MS, "bfd_n": BFD_N, "loopbacks": LOOPBACKS, "spine_as": SPINE_AS}
    return {**settings, "switches": switches}


def _switch(name: str, id: int, role: str, plane: int, asn: int) -> Json:
    mgmt = f"172.16.{id >> 8}.{id & 255}/12"
    return {"name": name, "id": id, "role": role, "plane": plane, "as": asn, "mgmt": mgmt, "ports": []}


def describe(fabric: Json, folder: Path) -> Path:
    """The lab's description with this fabric in it; the lab's one rack hangs on the first leaves."""
    region = folder / "lab"
    shutil.copytree(ROOT / "stacks/regions/lab", region)
    spines: list[str] = []
    leaves: list[str] = []
    uplinks = {port["peer"]: port["port"] for s in fabric["switches"] for port in s["ports"]}
    for switch in fabric["switches"]:
        head = f"    - {{name: {switch['name']}, id: {switch['id']}, plane: {switch['plane']}"
        if switch["role"] == "spine":
            spines.append(f"{head}, leaf_port: swp{uplinks[switch['name']]}}}")
        else:
            leaves.append(f"{head}, spine_port: swp{switch['ports'][0]['peer_port']}}}")
    text = NETWORK.format(
        loopbacks=LOOPBACKS,
        spine_as=SPINE_AS,
        leaf_as=LEAF_AS,
        last_as=LEAF_AS + 4095,
        mtu=MTU,
        bfd_ms=BFD_MS,
        bfd_n=BFD_N,
        spines="\n".join(spines),
        leaves="\n".join(leaves),
    )
    (region / "network.yaml").write_text(text)
    for name, old, new in (
        ("racks.yaml", "[lab-leaf1, lab-leaf2]", "[p01-leaf01, p01-leaf02]"),
        ("region.yaml", "http://", "https://"),  # switches that nothing simulates are not told in the clear
    ):
        (region / name).write_text((region / name).read_text().replace(old, new))
    return region


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
        spec = load(region, ROOT / "stacks/regions/_catalogue", project=ROOT)
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


Device = tuple[str, str, str, bool, bool, frozenset[tuple[int, str]]]
"""AS number, router id, loopback, whether BFD watches, whether the MTU is as asked, and (port, AS at its other end)."""


def read_eos(text: str) -> Device:
    sessions = re.findall(r"^   neighbor interface Ethernet(\d+) peer-group \S+ remote-as (\S+)$", text, re.M)
    return (
        _one(r"^router bgp (\S+)$", text),
        _one(r"^   router-id (\S+)$", text),
        _one(r"^interface Loopback0\n(?:   .*\n)*?   ip address (\S+)$", text),
        bool(re.search(r"^   neighbor \S+ bfd$", text, re.M)),
        len(re.findall(rf"^   mtu {MTU}$", text, re.M)) == len(sessions),
        frozenset((int(port), asn) for port, asn in sessions),
    )


def read_cumulus(text: str, remote: dict[str, str]) -> Device:
    from components.plan.switch_text import nv_set

    lines = "\n".join(nv_set(text))
    ports = re.findall(r"^vrf default router bgp neighbor (\S+) peer-group (?!HOSTS)\S+$", lines, re.M)
    return (
        _one(r"^router bgp autonomous-system (\S+)$", lines),
        _one(r"^router bgp router-id (\S+)$", lines),
        _one(r"^interface lo ip address (\S+)$", lines),
        bool(re.search(r"^vrf default router bgp peer-group \S+ bfd enable on$", lines, re.M)),
        all(f"interface {port} link mtu {MTU}\n" in lines for port in ports),
        frozenset((int(port.removeprefix("swp")), remote[port]) for port in ports),
    )


def read_frr(text: str, remote: dict[str, str]) -> Device:
    ports = re.findall(r"^ neighbor (\S+) interface peer-group (?!HOSTS)\S+$", text, re.M)
    return (
        _one(r"^router bgp (\S+)$", text),
        _one(r"^ bgp router-id (\S+)$", text),
        _one(r"^interface lo\n ip address (\S+)$", text),
        bool(re.search(r"^ neighbor \S+ bfd$", text, re.M)),
        True,  # FRR sets no MTU: the system below it does
        frozenset((int(port.removeprefix("swp")), remote[port]) for port in ports),
    )


def _one(pattern: str, text: str) -> str:
    found = re.findall(pattern, text, re.M)
    if len(found) != 1:
        raise SystemExit(f"{len(found)} matches of {pattern}")
    return found[0]


def differences(fabric: Json, avd: Json, mine: Json) -> Iterator[str]:
    """Devices on which the outputs do not mean the same."""
    asn = {switch["name"]: str(switch["as"]) for switch in fabric["switches"]}
    for name in asn:
        remote = {port: asn.get(peer, "") for port, peer in mine["peers"][name].items()}
        expected = read_eos(avd["configs"][name])
        for system, found in (
            ("cumulus", read_cumulus(mine["configs"]["cumulus"][name], remote)),
            ("frr", read_frr(mine["configs"]["frr"][name], remote)),
        ):
            if found != expected:
                yield f"{name}, {system}: {found} is not {expected}"


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
        results = [(run(peer, out), run(mine, out)) for _ in range(rounds)]
    avd = min((a for a, _ in results), key=seconds)
    return fabric, avd, min((m for _, m in results), key=seconds)


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
