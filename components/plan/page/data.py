"""The data of the page, as one compact document: the pictures are drawn from it and from nothing else."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pydantic import TypeAdapter

from components.plan.consequences.model import Consequences
from components.plan.model import RegionPlan
from components.plan.page.changes import change_data
from components.plan.page.networks import compute_map, fabric_map
from components.plan.page.power import power_tree
from components.plan.page.racks import profile_list, rack_table
from components.plan.summary import summary
from components.plan.tenants import ServicePlan, TenantPlan

SCHEMA = 1
"""Raised when a key changes its meaning or goes."""


def page_data(plan: RegionPlan, consequences: Consequences | None = None) -> dict[str, Any]:
    """Everything that is drawn."""
    return {
        "schema": SCHEMA,
        "region": plan.region,
        "halls": [dataclasses.asdict(hall) for hall in plan.site.halls],
        "profiles": profile_list(plan),
        "clusters": [cut.name for cut in plan.topology.clusters],
        "racks": rack_table(plan),
        "fabric": fabric_map(plan),
        "compute": compute_map(plan),
        "power": power_tree(plan),
        "changes": change_data(plan, consequences),
    }


def summary_data(plan: RegionPlan) -> dict[str, Any]:
    """What `region show --format json` prints."""
    tenants = TypeAdapter(tuple[TenantPlan, ...]).dump_python(plan.cluster.tenants, mode="json")
    services = TypeAdapter(tuple[ServicePlan, ...]).dump_python(plan.runtime.services, mode="json")
    return {"schema": SCHEMA, **dataclasses.asdict(summary(plan)), "tenants": tenants, "services": services}


def embedded(document: Any) -> str:
    """JSON that is safe inside a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
