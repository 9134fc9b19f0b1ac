"""The fabric that both sides render: as data, and as a description of this project's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]
SWITCH = """
switch: bench
simulated: true
kind: ethernet
ports: 128
speed_gbps: 400
port_name: "swp{port}"
os: [cumulus]
"""
"""As large as the largest fabric here needs."""

SIZES = {64: (1, 56), 256: (4, 56), 1008: (8, 118)}
"""Switches -> planes, and leaves in each beside eight spines."""
SPINES = 8
PORTS = 128
SPINE_AS, LEAF_AS = 65000, 4200001000
MTU, BFD_MS, BFD_N = 9000, 300, 3
LOOPBACKS = "10.0.0.0/20"
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
  switch: bench
  switch_os: cumulus
  mtu: {mtu}
  bfd: {{interval_ms: {bfd_ms}, multiplier: {bfd_n}}}
  spines:
{spines}
  leaves:
{leaves}
"""


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
                {"port": PORTS - SPINES + k, "peer": spine["name"], "peer_port": n}
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
    shutil.copytree(ROOT / "stacks/regions/_catalogue", folder / "_catalogue")
    (folder / "_catalogue/switches/bench.yaml").write_text(SWITCH)
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
