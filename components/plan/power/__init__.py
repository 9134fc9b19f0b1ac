"""The plan of power: the tree from the grid to the rack, the order of switching on, the cost of energy."""

from components.plan.power.compile import compile_power
from components.plan.power.model import (
    CapPlan,
    EnergiseStep,
    FeedPower,
    PowerPlan,
    RackPower,
    RowPower,
    SupplyPlan,
    SwitchRackPower,
)

__all__ = [
    "CapPlan",
    "EnergiseStep",
    "FeedPower",
    "PowerPlan",
    "RackPower",
    "RowPower",
    "SupplyPlan",
    "SwitchRackPower",
    "compile_power",
]
