"""The plan of power: the tree from the grid to the rack, the order of switching on, the cost of energy."""

from components.plan.power.compile import compile_power
from components.plan.power.model import EnergiseStep, FeedPower, PowerPlan, RackPower, RowPower, SupplyPlan

__all__ = ["EnergiseStep", "FeedPower", "PowerPlan", "RackPower", "RowPower", "SupplyPlan", "compile_power"]
