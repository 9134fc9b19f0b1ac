"""What actions take: the table that comes with the project, and what a region's own runs took.

Owns both files. A run adds to the second from the journal: hardware of the same kind takes the same time in a
region, so the next preview there need not guess.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.engine.journal import Journal, Outcome, Record
from components.plan.consequences import CostTable, cost_table
from components.plan.model import RegionPlan
from stacks.project import REGIONS, state_folder

TABLE = REGIONS / "_durations.yaml"
LAST = 20_000
"""Actions of the journal that count: the hardware of today, not of years ago."""


def cost_table_of(region: str) -> CostTable:
    """The table, with the figures of the region's own runs in it."""
    path = _measured_path(region)
    measured = json.loads(path.read_text()) if path.is_file() else None
    data: Any = YAML(typ="safe", pure=True).load(TABLE.read_text())
    return cost_table(data, measured)


def measure(plan: RegionPlan) -> None:
    """Take over from the journal what actions took."""
    journal = state_folder(plan.region) / "journal.db"
    found = measured(Journal.read_history(journal, limit=LAST), plan, cost_table_of(plan.region))
    if found:
        path = _measured_path(plan.region)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        fresh.replace(path)


def measured(history: Iterable[Record], plan: RegionPlan, table: CostTable) -> dict[str, dict[str, Any]]:
    """Class of hardware -> kind of action -> median and count of what was seen through. Pure."""
    classes = {host.name: table.class_of(rack.profile) for rack in plan.racks for host in rack.hosts}
    classes |= {switch.name: table.class_of(switch.model) for switch in plan.fabric.switches}
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in history:
        if record.outcome == Outcome.DONE and record.outcome_at is not None:
            of = classes.get(record.target) or _of_runs(plan, table)
            seconds[(of, record.kind)].append(record.outcome_at - record.intent_at)
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for (of, kind), values in sorted(seconds.items()):
        found[of][kind] = {"seconds": round(statistics.median(values), 1), "count": len(values)}
    return dict(found)


def _of_runs(plan: RegionPlan, table: CostTable) -> str:
    """Playbooks run on all hosts: they count to the first rack's hardware, as in the estimate."""
    return table.class_of(plan.racks[0].profile) if plan.racks else table.default


def _measured_path(region: str) -> Path:
    return state_folder(region) / "durations.json"
