"""What a month costs, before it is spent: floor, expected, ceiling, and the change that a pull request makes.

Owns the arithmetic on a plan. Does not own metering: what was spent comes from the cluster's own metrics.
"""

from components.plan.cost.budget import BudgetState, BudgetStatus, budget_status
from components.plan.cost.change import CostChange, CostLine, budget_warnings, cost_change, price_warnings
from components.plan.cost.forecast import (
    BUCKET,
    Forecast,
    Month,
    Parts,
    ServiceCost,
    TenantCost,
    forecast,
    service_cost,
)
from components.plan.cost.prices import PriceList, prices_of
from components.plan.cost.table import change_table, euros, forecast_csv, headline
from components.plan.cost.use import DEFAULT_DUTY, MONTH_HOURS, ReplicaHours, mean_floor, replica_hours

__all__ = [
    "BUCKET",
    "DEFAULT_DUTY",
    "MONTH_HOURS",
    "BudgetState",
    "BudgetStatus",
    "CostChange",
    "CostLine",
    "Forecast",
    "Month",
    "Parts",
    "PriceList",
    "ReplicaHours",
    "ServiceCost",
    "TenantCost",
    "budget_status",
    "budget_warnings",
    "change_table",
    "cost_change",
    "euros",
    "forecast",
    "forecast_csv",
    "headline",
    "mean_floor",
    "price_warnings",
    "prices_of",
    "replica_hours",
    "service_cost",
]
