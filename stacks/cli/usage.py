"""`region usage`: what tenants used and what it costs, from what the cluster measured.

The counterpart of the forecast, at the same prices. Owns the command only.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from components.checks.metering import Period
from components.checks.metering_cost import Bill, bills, budgets, shares
from components.checks.metering_usage import Owners, read_usage
from components.clients.kubernetes_change import KubernetesChange
from components.clients.metrics import PROXY, Metrics
from components.errors import Problem, SpecError
from components.plan.cost import BudgetState, BudgetStatus
from components.plan.measured import BUDGET_SHARE, COST_MONTH, EDGE_UP, INTERVAL_S, LAST_RECORD
from components.plan.model import RegionPlan
from components.plan.serving import BUDGET_QUOTA
from components.plan.status import Level
from components.spec.tenant import AtLimit
from stacks.cli import output
from stacks.cli.arguments import AsJson, Region
from stacks.cli.cluster_call import on_cluster
from stacks.cli.edge_state import read_edges
from stacks.cli.tenant import hold_body
from stacks.project import load_plan

SCHEMA = 1
"""Of what `--json` prints; raised when a key changes its meaning or goes."""
FIGURES = ("requests", "bytes_in", "bytes_out", "tokens_in", "tokens_out")


def usage(
    region: Region,
    from_: Annotated[str, typer.Option("--from", help="Day or time, UTC; the first of this month.")] = "",
    to: Annotated[str, typer.Option("--to", help="Day or time, UTC; now.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="A line a service, for spreadsheets.")] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="Also write cost, budgets and edges to the metering, for alerts and boards."),
    ] = False,
    act: Annotated[
        bool,
        typer.Option(
            "--act", help="Also hold tenants whose budget is used up and who chose that; release the others of them."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What each tenant and service used, and what it costs, from the cluster's own metrics."""
    now = time.time()
    period = Period(start=_time(from_, _month(now), "--from"), end=_time(to, now, "--to"))
    if not period.start < period.end <= now + 1:
        raise _wrong("--to", "a period ends after it begins, and not in the future", to or "now")
    if (record or act) and (from_ or to):
        raise typer.BadParameter("--record and --act are of this month until now: leave --from and --to away")
    plan = load_plan(region)
    found, of_budgets = metered(plan, period, now)
    if record:
        _record(plan, recorded(found, of_budgets, _edges(plan), now))
    if act:
        _act(plan, of_budgets)
    if as_json:
        output.machine("usage", schema=SCHEMA, **_document(region, period, found, of_budgets))
    elif as_csv:
        print(_csv(found), end="")
    else:
        output.people.print(_table(region, period, found))
        for status in of_budgets:
            if status.state is not BudgetState.NONE:
                output.people.print(status.text, highlight=False, soft_wrap=True)
        for price in sorted({price for bill in found for price in bill.missing}):
            output.people.print(f"nobody set a price of a {price}: it is not in the sum", highlight=False)


def metered(plan: RegionPlan, period: Period, now: float) -> tuple[tuple[Bill, ...], list[BudgetStatus]]:
    """Bills and budgets of a period. Raises MetricsError, KubernetesError."""
    nodes = {host.name: host.gpu_pool for host in plan.hosts}
    owners = Owners.of(plan.cluster.tenants, plan.runtime.services, nodes)
    used = on_cluster(
        plan.region,
        lambda api: read_usage(Metrics(api), owners, period, now=now, interval_s=INTERVAL_S),
        timeout_s=60,
    )
    found = bills(used, plan.runtime.services, plan.runtime.fleet, plan.runtime.prices)
    return found, list(budgets(plan.cluster.tenants, found))


def recorded(found: Sequence[Bill], of_budgets: Sequence[BudgetStatus], edges: Mapping[str, bool], now: float) -> str:
    """Figures in the text format that the metering takes."""
    lines = [
        f'{COST_MONTH}{{tenant="{bill.usage.tenant}",service="{bill.usage.service}"}} {bill.eur}' for bill in found
    ]
    lines += [f'{BUDGET_SHARE}{{tenant="{tenant}"}} {share}' for tenant, share in shares(of_budgets).items()]
    lines += [f'{EDGE_UP}{{edge="{edge}"}} {int(is_up)}' for edge, is_up in edges.items()]
    lines.append(f"{LAST_RECORD} {round(now)}")
    return "".join(f"{line} {round(now * 1000)}\n" for line in lines)


def _record(plan: RegionPlan, text: str) -> None:
    on_cluster(plan.region, lambda api: api.push(f"{PROXY}/api/v1/import/prometheus", text))


def _act(plan: RegionPlan, of_budgets: Sequence[BudgetStatus]) -> None:
    """Holds as the budgets that ask for one say. Tenants that chose to be warned are left alone."""
    held = {status.tenant: status.is_held for status in of_budgets}

    async def change(api: KubernetesChange) -> None:
        for tenant in plan.cluster.tenants:
            if tenant.budget is None or tenant.budget.at_limit is not AtLimit.HOLD:
                continue
            quotas = f"/api/v1/namespaces/{tenant.namespace}/resourcequotas"
            if held.get(tenant.name):
                await api.put(quotas, hold_body(tenant.namespace))
            else:
                await api.remove(f"{quotas}/{BUDGET_QUOTA}")

    on_cluster(plan.region, change)


def _edges(plan: RegionPlan) -> dict[str, bool]:
    return {line.name: line.level is Level.GOOD for line in read_edges(plan)}


def month_until(now: float) -> Period:
    """From the first of this month."""
    return Period(start=_month(now), end=now)


def _month(now: float) -> float:
    at = datetime.fromtimestamp(now, UTC)
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def _time(text: str, default: float, option: str) -> float:
    if not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(option, "it is no day and no time", text) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _wrong(option: str, message: str, found: str) -> SpecError:
    allowed = "2027-01-31 or 2027-01-31T12:00, UTC"
    return SpecError("there is no such period", [Problem(path=option, message=message, found=found, allowed=allowed)])


def _table(region: str, period: Period, found: Sequence[Bill]) -> Table:
    days = " to ".join(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}" for at in (period.start, period.end))
    table = Table(title=f"{region}, {days} UTC", title_justify="left")
    for column in ("service", "GPU-hours", "requests", "GB in", "GB out", "tokens in", "tokens out", "€"):
        table.add_column(column, justify="left" if column == "service" else "right")
    for bill in found:
        use = bill.usage
        table.add_row(
            f"{use.tenant}/{use.service}",
            f"{sum(use.gpu_seconds.values()) / 3600:,.2f}",
            f"{use.requests:,.0f}",
            f"{use.bytes_in / 1e9:,.3f}",
            f"{use.bytes_out / 1e9:,.3f}",
            f"{use.tokens_in:,.0f}",
            f"{use.tokens_out:,.0f}",
            f"{bill.eur:,.2f}",
        )
    return table


def _document(region: str, period: Period, found: Sequence[Bill], of_budgets: Sequence[BudgetStatus]) -> dict[str, Any]:
    return {
        "region": region,
        "from": datetime.fromtimestamp(period.start, UTC).isoformat(),
        "to": datetime.fromtimestamp(period.end, UTC).isoformat(),
        "services": [
            {
                "tenant": bill.usage.tenant,
                "service": bill.usage.service,
                "gpu_seconds": {pool: round(s, 1) for pool, s in sorted(bill.usage.gpu_seconds.items())},
                "replica_seconds": round(bill.usage.replica_seconds, 1),
                **{name: round(getattr(bill.usage, name)) for name in FIGURES},
                "eur": bill.eur,
                "parts_eur": {
                    "gpu": bill.gpu_eur,
                    "energy": bill.energy_eur,
                    "cpu": bill.cpu_eur,
                    "egress": bill.egress_eur,
                },
                "missing_prices": list(bill.missing),
            }
            for bill in found
        ],
        "budgets": [
            {"tenant": s.tenant, "state": s.state.value, "spent_eur": s.spent_eur, "budget_eur": s.budget_eur}
            for s in of_budgets
        ],
    }


def _csv(found: Sequence[Bill]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    pools = sorted({pool for bill in found for pool in bill.usage.gpu_seconds})
    lines.writerow(["tenant", "service", *(f"gpu_seconds_{p}" for p in pools), "replica_seconds", *FIGURES, "eur"])
    for bill in found:
        use = bill.usage
        lines.writerow(
            [
                use.tenant,
                use.service,
                *(round(use.gpu_seconds.get(pool, 0.0), 1) for pool in pools),
                round(use.replica_seconds, 1),
                *(round(getattr(use, name)) for name in FIGURES),
                bill.eur,
            ]
        )
    return text.getvalue()
