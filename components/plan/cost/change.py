"""What a change makes of a month: each service that becomes dearer or cheaper, comes or goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.plan.cost.budget import BudgetState, budget_status
from components.plan.cost.forecast import Forecast, Month, ServiceCost

BUDGET_EXPECTED = "budget-expected"
BUDGET_CEILING = "budget-ceiling"
"""Ids of the two rules that warn and never refuse."""

ABOUT: Mapping[str, str] = {
    BUDGET_EXPECTED: "The expected month of a tenant stays below 80 % of its budget; else the preview warns, and refuses nothing.",
    BUDGET_CEILING: "The month of a tenant at its ceiling stays below its budget; else the preview warns, and refuses nothing.",
}
"""Id -> what must hold."""


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One service of which the month changes."""

    tenant: str
    service: str
    state: str
    """`new`, `gone` or `changed`."""
    pool: str
    """Where it lands after the change."""
    before: Month
    after: Month

    @property
    def delta(self) -> Month:
        """After, less before."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class CostChange:
    """The month before and after a change."""

    before: Month
    after: Month
    lines: tuple[CostLine, ...]
    """The largest change of the expected sum first."""
    warnings: tuple[str, ...]
    """Budgets that may not last, and prices that are missing."""

    @property
    def delta(self) -> Month:
        """After, less before."""
        return self.after - self.before


def cost_change(old: Forecast | None, new: Forecast) -> CostChange:
    """Between two forecasts of a region; None stands for a region of which nothing is there."""
    before = {(each.tenant, each.service): each for each in old.services} if old else {}
    after = {(each.tenant, each.service): each for each in new.services}
    lines = (_line(before.get(key), after.get(key)) for key in {**before, **after})
    changed = [line for line in lines if line is not None]
    return CostChange(
        before=old.month if old else Month(),
        after=new.month,
        lines=tuple(sorted(changed, key=lambda line: (-abs(line.delta.expected), line.tenant, line.service))),
        warnings=tuple(budget_warnings(new)) + tuple(price_warnings(new)),
    )


def budget_warnings(found: Forecast) -> Iterator[str]:
    """Where the expected month uses up the budget, or 80 % of it; else where its ceiling would."""
    for each in found.tenants:
        expected = budget_status(each.tenant, each.month.expected, each.budget_eur, each.at_limit)
        if expected.state in (BudgetState.WARNING, BudgetState.REACHED):
            yield f"the expected month of {expected.text} ({BUDGET_EXPECTED})"
        elif each.budget_eur is not None and each.month.ceiling >= each.budget_eur:
            most = budget_status(each.tenant, each.month.ceiling, each.budget_eur, each.at_limit)
            yield f"at its ceiling, the month of {most.text} ({BUDGET_CEILING})"


def price_warnings(found: Forecast) -> Iterator[str]:
    """Prices that nobody set, each once; buckets of which nobody says how much they hold."""
    missing = {what: f"{each.tenant}/{each.service}" for each in reversed(found.services) for what in each.missing}
    for what, who in sorted(missing.items()):
        yield f"no price is set for the {what}, which {who} needs: it is not in the sums"
    for tenant in found.tenants:
        if tenant.is_bucket_unknown:
            yield f"what the bucket of {tenant.tenant} holds is not declared (bucket.expected_gb): it is not in the sums"


def _line(old: ServiceCost | None, new: ServiceCost | None) -> CostLine | None:
    either = new or old
    if either is None or (old and new and old.month == new.month):
        return None
    return CostLine(
        tenant=either.tenant,
        service=either.service,
        state="new" if old is None else "gone" if new is None else "changed",
        pool=new.pool if new else "",
        before=old.month if old else Month(),
        after=new.month if new else Month(),
    )
