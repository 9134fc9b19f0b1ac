"""Forecasts as tables: Markdown for comments, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from components.plan.cost.change import CostChange, CostLine
from components.plan.cost.forecast import Forecast, Month, ServiceCost

MOST_LINES = 30
"""Services in one table; beyond, their number must do."""

CSV_COLUMNS = (
    "tenant", "service", "pool", "replica_hours_floor", "replica_hours_expected", "replica_hours_ceiling",
    "gpu_eur", "energy_eur", "cpu_eur", "storage_eur", "floor_eur", "expected_eur", "ceiling_eur",
)  # fmt: skip
"""The four parts are those of the expected month."""


def euros(value: float, *, sign: bool = False) -> str:
    """With cents below a hundred euros, without above: `€12.50`, `€1,234`; of a change with its sign."""
    text = f"{abs(value):,.2f}" if abs(value) < 100 else f"{abs(value):,.0f}"
    mark = "-" if value < 0 else "+" if sign and value > 0 else ""
    return f"{mark}€{text}"


def headline(change: CostChange) -> str:
    """The month and its change, in a line."""
    after, delta = change.after, change.delta
    return (
        f"a month costs {euros(after.expected)} as expected ({euros(delta.expected, sign=True)}),"
        f" {euros(after.floor)} at least and {euros(after.ceiling)} at most"
    )


def change_table(change: CostChange) -> Iterator[str]:
    """Lines of Markdown: every service whose month changes, then the sums."""
    yield "| service | lands on | floor | expected | ceiling | change of expected |"
    yield "|---|---|---:|---:|---:|---:|"
    for line in change.lines[:MOST_LINES]:
        yield _row(f"`{line.tenant}/{line.service}`{_state(line)}", line.pool or "-", line.after, line.delta)
    if left := change.lines[MOST_LINES:]:
        rest = sum((line.delta for line in left), Month())
        yield f"| {len(left):,} more | | | | | {euros(rest.expected, sign=True)} |"
    yield _row("**all services**", "", change.after, change.delta)


def forecast_csv(found: Forecast) -> str:
    """One row a service."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_csv_row(each) for each in found.services)
    return text.getvalue()


def _row(name: str, pool: str, month: Month, delta: Month) -> str:
    sums = " | ".join(euros(value) for value in (month.floor, month.expected, month.ceiling))
    return f"| {name} | {pool} | {sums} | {euros(delta.expected, sign=True)} |"


def _state(line: CostLine) -> str:
    return "" if line.state == "changed" else f" ({line.state})"


def _csv_row(each: ServiceCost) -> list[str]:
    hours, parts, month = each.hours, each.expected, each.month
    numbers = (
        hours.floor, hours.expected, hours.ceiling, parts.gpu, parts.energy, parts.cpu, parts.storage,
        month.floor, month.expected, month.ceiling,
    )  # fmt: skip
    return [each.tenant, each.service, each.pool, *(f"{number:.2f}" for number in numbers)]
