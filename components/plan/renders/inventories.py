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
    """`group_vars/all.json`, and `<rack>.json` for each rack with hosts that run."""
    shared = region_variables(plan)
    yield Piece("", (shared,), partial(_shared, shared))
    for rack in plan.racks:
        if any(running(rack)):
            yield Piece(rack.name, (rack,), partial(_hosts, rack, plan))


def _shared(variables: dict[str, Any]) -> Files:
    yield "group_vars/all.json", json_text(variables)


def _hosts(rack: RackPlan, plan: RegionPlan) -> Files:
    groups = {
        str(group): {"hosts": {host.name: host_variables(host, plan) for host in rack.hosts if host.role is group}}
        for group in GROUPS
    }
    # One line: Python's indenting writer is ten times slower, and nobody reads 250 of these.
    yield f"{rack.name}.json", json.dumps({"all": {"children": {"hosts": {"children": groups}}}}) + "\n"
