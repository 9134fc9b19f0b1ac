"""Whether a budget lasts: a warning at 80 %, and at 100 % what the tenant chose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WARN_AT = 0.8
"""Part of the budget at which people are told."""


class BudgetState(StrEnum):
    """How much of it is used."""

    NONE = "none"
    """No budget is set."""
    WITHIN = "within"
    WARNING = "warning"
    """80 % or more."""
    REACHED = "reached"
    """All of it, or more."""


@dataclass(frozen=True, kw_only=True)
class BudgetStatus:
    """One tenant's budget beside what it spent, or is forecast to."""

    tenant: str
    state: BudgetState
    spent_eur: float
    budget_eur: float | None
    is_held: bool
    """Whether nothing new may start: the budget is reached, and the tenant chose `hold`."""

    @property
    def text(self) -> str:
        """In one line."""
        if self.budget_eur is None:
            return f"{self.tenant}: €{self.spent_eur:,.2f}, no budget is set"
        share = f"€{self.spent_eur:,.2f} of €{self.budget_eur:,.2f} ({self.spent_eur / self.budget_eur:.0%})"
        action = {
            BudgetState.REACHED: "; nothing new starts" if self.is_held else "; all goes on, as the tenant chose",
            BudgetState.WARNING: f"; warning at {WARN_AT:.0%}",
        }.get(self.state, "")
        return f"{self.tenant}: {share}{action}"


def budget_status(tenant: str, spent_eur: float, budget_eur: float | None, at_limit: str) -> BudgetStatus:
    """Of one tenant: what was metered, or what a month is forecast to cost."""
    return BudgetStatus(
        tenant=tenant,
        state=_state(spent_eur, budget_eur),
        spent_eur=spent_eur,
        budget_eur=budget_eur,
        is_held=budget_eur is not None and spent_eur >= budget_eur and at_limit == "hold",
    )


def _state(spent: float, budget: float | None) -> BudgetState:
    if budget is None:
        return BudgetState.NONE
    if spent >= budget:
        return BudgetState.REACHED
    return BudgetState.WARNING if spent >= WARN_AT * budget else BudgetState.WITHIN
