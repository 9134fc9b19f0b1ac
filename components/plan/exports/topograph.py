"""A topograph model: the switch tree above the nodes, and their NVLink domains.

topograph's tree gives each node one switch, and a rail-optimised fabric has a leaf for each rail; so a node's
switch is the leaves of its rack together, and above them stand its scalable unit and its island. Nodes
without GPUs are in a block of their own, under no switch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from components.plan.model import RegionPlan
from components.plan.renders.labels import REGION, ZONE, island_name, running, unit_name
from components.plan.renders.text import yaml_text

ACCELERATOR_DOMAIN = "accelerator.topology.test/domain"
"""Annotation by which topograph's simulations know a domain; on nodes it writes a label of its own."""


def model(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """`<region>.yaml`."""
    places = [place for place in plan.topology.racks if place.gpus]
    switches: dict[str, Any] = {}
    islands = sorted({place.island for place in places})
    switches[plan.region] = {"labels": {REGION: plan.region}, "switches": [island_name(plan, i) for i in islands]}
    for island in islands:
        units = sorted({place.unit for place in places if place.island == island})
        switches[island_name(plan, island)] = {"switches": [unit_name(plan, unit) for unit in units]}
        for unit in units:
            switches[unit_name(plan, unit)] = {"switches": [place.rack for place in places if place.unit == unit]}
    yield f"{plan.region}.yaml", yaml_text({"switches": switches, "blocks": list(_blocks(plan))})


def _blocks(plan: RegionPlan) -> Iterator[dict[str, Any]]:
    places = {place.rack: place for place in plan.topology.racks}
    for rack in plan.racks:
        place, nodes = places[rack.name], [host.name for host in running(rack)]
        if not nodes:
            continue
        block: dict[str, Any] = {"switch": rack.name} if rack.hardware.gpus else {}
        block |= {"nodes": ranges(nodes), "labels": {REGION: plan.region, ZONE: f"{plan.region}-{place.hall}"}}
        if place.nvlink_domain:
            block["annotations"] = {ACCELERATOR_DOMAIN: place.nvlink_domain}
        yield block


def ranges(names: Sequence[str]) -> list[str]:
    """Names in topograph's short form: `ess-r001-t[01-16]`."""
    short: list[str] = []
    run: list[str] = []
    for name in [*names, ""]:
        if run and not _follows(run[-1], name):
            short.append(_range(run))
            run = []
        run.append(name)
    return short


def _follows(one: str, other: str) -> bool:
    a, b = re.fullmatch(r"(.*?)([0-9]+)", one), re.fullmatch(r"(.*?)([0-9]+)", other)
    if a is None or b is None:
        return False
    return (a[1], len(a[2]), int(a[2]) + 1) == (b[1], len(b[2]), int(b[2]))


def _range(run: Sequence[str]) -> str:
    first, last = (re.fullmatch(r"(.*?)([0-9]*)", name) for name in (run[0], run[-1]))
    return f"{first[1]}[{first[2]}-{last[2]}]" if first and last and len(run) > 1 else run[0]
