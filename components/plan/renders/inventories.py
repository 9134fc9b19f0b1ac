"""The Ansible inventory in parts: what all hosts share once, and a file of hosts for each rack.

A playbook run over one rack reads two small files instead of the whole region.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from components.plan.inventory import GROUPS, host_variables, region_variables
from components.plan.model import RackPlan, RegionPlan
from components.plan.renders.labels import running
from components.plan.renders.piece import Files, Piece
from components.plan.renders.text import json_text


def inventories(plan: RegionPlan) -> Iterator[Piece]:
    """`group_vars/all.json`, `<rack>.json` for each rack with hosts that run, and `compute-switches.json`."""
    shared = region_variables(plan)
    yield Piece("", (shared,), partial(_shared, shared))
    yield Piece("compute-switches", (plan.networks.compute, plan.networks.oob), partial(_compute_switches, plan))
    for rack in plan.racks:
        if any(running(rack)):
            yield Piece(rack.name, (rack,), partial(_hosts, rack, plan))


def _compute_switches(plan: RegionPlan) -> Files:
    """InfiniBand switches by island and unit, for playbooks that reach their management ports."""
    switches = {switch.name: switch for switch in plan.networks.compute.switches} if plan.networks.compute else {}
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for endpoint in plan.networks.oob.endpoints:
        if switch := switches.get(endpoint.device):
            group = f"unit_{switch.unit}" if switch.unit is not None else f"island_{switch.island}"
            groups.setdefault(group, {})[switch.name] = {"ansible_host": endpoint.address}
    if groups:
        children = {name: {"hosts": hosts} for name, hosts in groups.items()}
        yield (
            "compute-switches.json",
            json.dumps({"all": {"children": {"compute_switches": {"children": children}}}}) + "\n",
        )


def _shared(variables: dict[str, Any]) -> Files:
    yield "group_vars/all.json", json_text(variables)


def _hosts(rack: RackPlan, plan: RegionPlan) -> Files:
    groups = {
        str(group): {"hosts": {host.name: host_variables(host, plan) for host in rack.hosts if host.role is group}}
        for group in GROUPS
    }
    # One line: Python's indenting writer is ten times slower, and nobody reads 250 of these.
    yield f"{rack.name}.json", json.dumps({"all": {"children": {"hosts": {"children": groups}}}}) + "\n"
