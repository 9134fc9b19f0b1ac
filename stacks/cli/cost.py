"""`region cost`: what a month costs each tenant and service, as forecast from the description."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from components.plan.cost import budget_status, budget_warnings, euros, forecast_csv, price_warnings
from components.plan.cost.forecast import Forecast, Month, ServiceCost
from components.plan.cost.region import region_forecast
from stacks.cli.arguments import AsJson, Region
from stacks.project import load_hardware

SCHEMA = 1
"""Of the JSON form; raised when a key changes its meaning or goes."""


def cost(
    region: Region,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One row a service, for spreadsheets.")] = False,
) -> None:
    """Forecast what a month costs: at least, as expected, at most; budgets, and prices that are placeholders."""
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    found = region_forecast(load_hardware(region))
    if as_csv:
        print(forecast_csv(found), end="")
    elif as_json:
        print(json.dumps(document(region, found)))
    else:
        _show(found)


def document(region: str, found: Forecast) -> dict[str, Any]:
    """The forecast as plain data."""
    return {
        "schema": SCHEMA,
        "kind": "cost-forecast",
        "region": region,
        "month": dataclasses.asdict(found.month),
        "tenants": [
            {
                **dataclasses.asdict(each),
                "budget_state": budget_status(each.tenant, each.month.expected, each.budget_eur, each.at_limit).state,
            }
            for each in found.tenants
        ],
        "services": [{**dataclasses.asdict(each), "month": dataclasses.asdict(each.month)} for each in found.services],
        "prices": dataclasses.asdict(found.prices),
        "warnings": [*budget_warnings(found), *price_warnings(found)],
    }


def _show(found: Forecast) -> None:
    console = Console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("service", "lands on", "floor", "expected", "ceiling"):
        table.add_column(title, justify="right" if title in ("floor", "expected", "ceiling") else "left")
    for each in sorted(found.services, key=_dearest_first):
        table.add_row(f"{each.tenant}/{each.service}", each.pool or "-", *_sums(each.month))
    table.add_section()
    for tenant in found.tenants:
        table.add_row(f"tenant {tenant.tenant}", "", *_sums(tenant.month), style="bold")
    console.print(table)
    for text in (*budget_warnings(found), *price_warnings(found)):
        console.print(f"warning: {text}", style="yellow", highlight=False)
    for line in sorted({f"expected: {each.hours.assumption}" for each in found.services}):
        console.print(line, style="dim", highlight=False)
    if found.prices.to_set:
        names = ", ".join(found.prices.to_set)
        console.print(f"placeholders that the operator sets: {names}", style="dim", highlight=False)


def _sums(month: Month) -> tuple[str, str, str]:
    return euros(month.floor), euros(month.expected), euros(month.ceiling)


def _dearest_first(each: ServiceCost) -> tuple[float, str, str]:
    return -each.month.expected, each.tenant, each.service
