"""Renders a leaf-spine topology with pyavd, in an environment that holds nothing of this project.

    python render.py TOPOLOGY.json OUT.json

OUT holds seconds of each step, and the configuration of every device. The inputs ask for what both sides can do:
eBGP without addresses on links, BFD, a loopback for each switch, an MTU.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

# By name: type checkers do not see the environment that this runs in.
pyavd: Any = importlib.import_module("pyavd")
schemas: Any = importlib.import_module("pyavd.api.schemas")

FABRIC = "FABRIC"


def inputs_of(topology: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Variables of each device, as an AVD inventory gives them: those of its plane, as a group of hosts."""
    planes: dict[int, list[dict[str, Any]]] = {}
    for switch in topology["switches"]:
        planes.setdefault(switch["plane"], []).append(switch)
    inputs: dict[str, dict[str, Any]] = {}
    for switches in planes.values():
        shared = _plane(switches, topology)
        for switch in switches:
            inputs[switch["name"]] = {**shared, "type": "spine" if switch["role"] == "spine" else "l3leaf"}
    return inputs


def _plane(switches: list[dict[str, Any]], topology: dict[str, Any]) -> dict[str, Any]:
    spines = [
        {"name": spine["name"], "id": spine["id"], "mgmt_ip": spine["mgmt"]}
        for spine in switches
        if spine["role"] == "spine"
    ]
    interval = topology["bfd_ms"]
    return {
        "fabric_name": FABRIC,
        "underlay_routing_protocol": "ebgp",
        "underlay_rfc5549": True,
        "overlay_routing_protocol": "none",
        "p2p_uplinks_mtu": topology["mtu"],
        "bgp_peer_groups": {"ipv4_underlay_peers": {"bfd": True}},
        "bfd_multihop": {"interval": interval, "min_rx": interval, "multiplier": topology["bfd_n"]},
        "spine": {
            "defaults": {"loopback_ipv4_pool": topology["loopbacks"], "bgp_as": str(topology["spine_as"])},
            "nodes": spines,
        },
        "l3leaf": {
            "defaults": {"loopback_ipv4_pool": topology["loopbacks"], "vtep": False, "mlag": False},
            "nodes": [_leaf(leaf) for leaf in switches if leaf["role"] == "leaf"],
        },
    }


def _leaf(leaf: dict[str, Any]) -> dict[str, Any]:
    ports = sorted(leaf["ports"], key=lambda port: int(port["port"]))
    return {
        "name": leaf["name"],
        "id": leaf["id"],
        "bgp_as": str(leaf["as"]),
        "mgmt_ip": leaf["mgmt"],
        "uplink_switches": [port["peer"] for port in ports],
        "uplink_interfaces": [f"Ethernet{port['port']}" for port in ports],
        "uplink_switch_interfaces": [f"Ethernet{port['peer_port']}" for port in ports],
    }


def main() -> None:
    topology = json.loads(Path(sys.argv[1]).read_text())
    inputs = inputs_of(topology)
    steps: dict[str, float] = {}
    began = time.process_time()
    wall = time.perf_counter()

    def step(name: str) -> None:
        nonlocal began
        now = time.process_time()
        steps[name], began = now - began, now

    designs: dict[str, Any] = {}
    for name in inputs:
        result = pyavd.validate_inputs(inputs[name])
        if result.validated_data is None:
            violations = [f"{v.path}: {v.message}" for v in result.validation_result.violations[:3]]
            raise SystemExit(f"{name}: {violations}")
        data = result.validated_data
        # Loaded once, as pyavd asks for: the other steps would load it anew each.
        designs[name] = schemas.AVDDesign._from_dict(json.loads(data) if isinstance(data, str) else data)
    step("validate")
    facts = pyavd.get_avd_facts(designs)
    step("facts")
    configs: dict[str, str] = {}
    for name in inputs:
        structured = pyavd.get_device_structured_config(name, designs[name], facts)
        configs[name] = pyavd.get_device_config(structured)
    step("devices")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    document = {"steps": steps, "wall": time.perf_counter() - wall, "peak_mib": peak, "configs": configs}
    Path(sys.argv[2]).write_text(json.dumps({**document, "version": pyavd.__version__}))


if __name__ == "__main__":
    main()
