"""What Prometheus scrapes and probes, as files of its file-based discovery: a group of targets for each rack.

Hosts and GPUs are scraped where their exporters listen by default; management addresses are for a prober
(blackbox or Redfish exporter), which decides the port.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from components.plan.model import RegionPlan
from components.plan.renders.labels import gpu_model, island_name, running, unit_name
from components.plan.renders.piece import Files, Piece
from components.plan.renders.text import json_text
from components.spec.oob_layout import OobKind

NODE_EXPORTER = 9100
DCGM_EXPORTER = 9400

Group = dict[str, Any]


def prometheus(plan: RegionPlan) -> Iterator[Piece]:
    """`hosts.json`, `gpus.json`, `management.json` and `switches.json`."""
    reads = (
        plan.region,
        plan.topology.racks,
        plan.racks,
        plan.fabric.switches,
        plan.networks.oob,
        plan.networks.compute,
    )
    yield Piece("", reads, lambda: _prometheus(plan))


def _prometheus(plan: RegionPlan) -> Files:
    places = {place.rack: place for place in plan.topology.racks}
    hosts: list[Group] = []
    gpus: list[Group] = []
    management: list[Group] = []
    endpoints: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for endpoint in plan.networks.oob.endpoints:
        endpoints[endpoint.rack][str(endpoint.kind)].append(endpoint.address)
    for rack in plan.racks:
        place = places[rack.name]
        where = {
            "region": plan.region,
            "hall": place.hall,
            "island": island_name(plan, place.island),
            "unit": unit_name(plan, place.unit),
            "rack": rack.name,
        }
        models: dict[str, list[str]] = defaultdict(list)
        for host in running(rack):
            if model := gpu_model(host):
                models[model].append(f"{host.loopback}:{DCGM_EXPORTER}")
        if targets := [f"{host.loopback}:{NODE_EXPORTER}" for host in running(rack)]:
            hosts.append({"targets": targets, "labels": where})
        gpus += [{"targets": found, "labels": {**where, "gpu_model": model}} for model, found in models.items()]
        for kind, found in endpoints[rack.name].items():
            management.append({"targets": found, "labels": {**where, "kind": kind}})
    management += _compute_switches(plan)
    yield "hosts.json", json_text(hosts)
    yield "gpus.json", json_text(gpus)
    yield "management.json", json_text(management)
    yield "switches.json", json_text(list(_switches(plan)))


def _compute_switches(plan: RegionPlan) -> Iterator[Group]:
    """A group for each unit, and one for the rest of each island."""
    switches = {switch.name: switch for switch in plan.networks.compute.switches} if plan.networks.compute else {}
    found: dict[tuple[int, int | None], list[str]] = defaultdict(list)
    for endpoint in plan.networks.oob.endpoints:
        if switch := switches.get(endpoint.device):
            found[switch.island, switch.unit].append(endpoint.address)
    for (island, unit), addresses in found.items():
        where = {"region": plan.region, "island": island_name(plan, island)}
        where |= {"unit": unit_name(plan, unit)} if unit is not None else {}
        yield {"targets": addresses, "labels": {**where, "kind": str(OobKind.COMPUTE_SWITCH)}}


def _switches(plan: RegionPlan) -> Iterator[Group]:
    for role in sorted({switch.role for switch in plan.fabric.switches}):
        addresses = [switch.oob_address for switch in plan.fabric.switches if switch.role is role]
        yield {"targets": addresses, "labels": {"region": plan.region, "network": "inband", "role": str(role)}}
    if addresses := [switch.address for switch in plan.networks.oob.switches]:
        yield {"targets": addresses, "labels": {"region": plan.region, "network": "oob"}}
