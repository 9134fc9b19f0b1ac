"""The forecast of a whole region's plan.

A module of its own, as the plan's model holds prices: the package cannot look at both.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.cost.forecast import Forecast, forecast
from components.plan.model import RegionPlan


def region_forecast(plan: RegionPlan, duties: Mapping[str, float] | None = None) -> Forecast:
    """Every service of every tenant; `duties` is what a history shows, by `tenant/service`."""
    budgets = {
        tenant.name: (tenant.budget.month_eur, tenant.budget.at_limit.value) if tenant.budget else (None, "")
        for tenant in plan.cluster.tenants
    }
    sizes = {tenant.name: tenant.bucket_gb for tenant in plan.cluster.tenants if tenant.bucket_gb is not None}
    return forecast(plan.runtime.services, budgets, plan.runtime.fleet, plan.runtime.prices, duties, sizes)
