"""What was used, in euros. Pure: the same prices as the forecast counts with, so that both can be compared."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.checks.metering_usage import Usage
from components.plan.cost import BudgetStatus, PriceList, budget_status
from components.plan.fleet import Fleet
from components.plan.tenants import ServicePlan, TenantPlan

HOUR_S = 3600.0
GB = 1e9


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What one service used, and what that costs; EUR without tax."""

    usage: Usage
    gpu_eur: float
    energy_eur: float
    cpu_eur: float
    egress_eur: float
    missing: tuple[str, ...]
    """Prices that nobody set; what they are for is not in the sum."""

    @property
    def eur(self) -> float:
        """All of it, to the cent."""
        return round(self.gpu_eur + self.energy_eur + self.cpu_eur + self.egress_eur, 2)


def bills(
    usages: Iterable[Usage], services: Sequence[ServicePlan], fleet: Fleet, prices: PriceList
) -> tuple[Bill, ...]:
    """One for each service, in the order of `usages`."""
    cores = {service.key: service.cpu for service in services}
    return tuple(_bill(usage, cores.get(f"{usage.tenant}/{usage.service}", 0.0), fleet, prices) for usage in usages)


def _bill(usage: Usage, cores: float, fleet: Fleet, prices: PriceList) -> Bill:
    missing: list[str] = []

    def priced(amount: float, price: float | None, name: str) -> float:
        if price is None and amount:
            missing.append(name)
        return round(amount * (price or 0.0), 4)

    gpu = energy = 0.0
    for name, seconds in sorted(usage.gpu_seconds.items()):
        pool, hours = fleet.pool(name), seconds / HOUR_S
        gpu += priced(hours, pool.eur_hour if pool else None, f"GPU-hour of {pool.gpu_model if pool else name}")
        energy += hours * ((pool.kw_per_gpu if pool else None) or 0.0) * prices.kwh
    return Bill(
        usage=usage,
        gpu_eur=gpu,
        energy_eur=round(energy, 4),
        cpu_eur=priced(cores * usage.replica_seconds / HOUR_S, prices.core_hour, "core-hour"),
        egress_eur=priced(usage.bytes_out / GB, prices.egress_gb, "GB sent out"),
        missing=tuple(missing),
    )


def budgets(tenants: Iterable[TenantPlan], found: Iterable[Bill]) -> Iterator[BudgetStatus]:
    """Each tenant's budget beside what it spent."""
    spent: dict[str, float] = defaultdict(float)
    for bill in found:
        spent[bill.usage.tenant] += bill.eur
    for tenant in tenants:
        budget = tenant.budget
        yield budget_status(
            tenant.name,
            round(spent[tenant.name], 2),
            budget.month_eur if budget else None,
            budget.at_limit.value if budget else "warn",
        )


def shares(found: Iterable[BudgetStatus]) -> Mapping[str, float]:
    """Tenant -> part of its budget that is used; those without a budget are left out."""
    return {
        each.tenant: each.spent_eur / each.budget_eur
        for each in found
        if each.budget_eur is not None and math.isfinite(each.spent_eur)
    }
