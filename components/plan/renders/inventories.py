"""The Ansible inventory in parts: what all hosts share once, and a file of hosts for each rack.

A playbook run over one rack reads two small files instead of the whole region.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from components.plan.inventory import GROUPS, host_variables, region_variables
from components.plan.model import RegionPlan
from components.plan.renders.text import json_text


def inventories(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """`group_vars/all.json`, and `<rack>.json` for each rack with hosts that run."""
    yield "group_vars/all.json", json_text(region_variables(plan))
    for rack in plan.racks:
        groups = {
            str(group): {"hosts": {host.name: host_variables(host, plan) for host in rack.hosts if host.role is group}}
            for group in GROUPS
        }
        if any(group["hosts"] for group in groups.values()):
            # One line: Python's indenting writer is ten times slower, and nobody reads 250 of these.
            document = {"all": {"children": {"hosts": {"children": groups}}}}
            yield f"{rack.name}.json", json.dumps(document) + "\n"
