"""What a change does to the physical world, as a pure function of two snapshots of a region.

`consequences(old, new)` is what every view of a preview shows: terminal, comment, JSON, page, and the list that
`region up --plan` holds to. Actions are those of plan/actions, which the provider's diff calls too.
"""

from components.plan.consequences import words
from components.plan.consequences.compute import consequences
from components.plan.consequences.costs import CostTable, cost_table
from components.plan.consequences.model import Consequences, Danger
from components.plan.consequences.names import fold, unfold
from components.plan.consequences.planned import Planned, planned_actions
from components.plan.consequences.snapshot import Resource, Snapshot, snapshot_of

__all__ = [
    "Consequences",
    "CostTable",
    "Danger",
    "Planned",
    "Resource",
    "Snapshot",
    "consequences",
    "cost_table",
    "fold",
    "planned_actions",
    "snapshot_of",
    "unfold",
    "words",
]
