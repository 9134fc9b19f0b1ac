"""`region tenant`: who uses what of what was promised, and the hold that a used-up budget may ask for.

Owns the commands only. A hold is one object in the tenant's namespace: a quota that allows no new pod. What runs goes
on. It is put up and taken down by these commands and by nothing else.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from components.checks.tenant_state import TenantState, read_tenants
from components.errors import Problem, SpecError
from components.plan.model import RegionPlan
from components.plan.serving import BUDGET_QUOTA
from components.plan.tenants import TenantPlan
from stacks.cli import output
from stacks.cli.arguments import AsJson, Region
from stacks.cli.cluster_call import on_cluster
from stacks.cli.confirm import agree
from stacks.project import load_plan

app = typer.Typer(no_args_is_help=True, help="Tenants of a region: what they were promised, what they use.")

SCHEMA = 1
"""Of what `--json` prints; raised when a key changes its meaning or goes."""
Name = Annotated[str, typer.Argument(metavar="TENANT", help="A tenant of the region.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def tenant_states(plan: RegionPlan, tenants: tuple[TenantPlan, ...]) -> list[TenantState]:
    """Raises KubeconfigError, KubernetesError."""
    return on_cluster(plan.region, lambda api: read_tenants(api, tenants, plan.cluster.device_class))


def chosen_tenant(plan: RegionPlan, name: str) -> TenantPlan:
    """The tenant of this name. Raises SpecError naming those that there are."""
    for tenant in plan.cluster.tenants:
        if tenant.name == name:
            return tenant
    raise SpecError(
        f"there is no tenant {name!r} in {plan.region}",
        [
            Problem(
                path="TENANT",
                message="a tenant is a file of the region",
                found=name,
                allowed=", ".join(t.name for t in plan.cluster.tenants) or "none yet",
                remedy=f"make stacks/regions/{plan.region}/tenants/{name}.yaml, or name another",
            )
        ],
    )


@app.command("list")
def list_(region: Region, as_json: AsJson = False) -> None:
    """Every tenant: GPUs, pods, what waits, whether it is held."""
    plan = load_plan(region)
    found = tenant_states(plan, plan.cluster.tenants)
    if as_json:
        output.machine("tenants", schema=SCHEMA, region=region, tenants=[_document(plan, each) for each in found])
        return
    table = Table(title=f"tenants of {region}", title_justify="left")
    for column in ("tenant", "services", "GPUs", "pods", "waiting", "budget", "state"):
        table.add_column(column, justify="left" if column in ("tenant", "budget", "state") else "right")
    for each in found:
        table.add_row(
            each.tenant.name,
            str(_services(plan, each)),
            f"{each.gpus[0]}/{each.gpus[1]}",
            f"{each.pods[0]}/{each.pods[1]}",
            str(each.waiting),
            _budget(each.tenant),
            _state(each),
        )
    output.people.print(table)


@app.command()
def show(region: Region, tenant: Name, as_json: AsJson = False) -> None:
    """One tenant: quota and use, its queue, its budget, its people."""
    plan = load_plan(region)
    (found,) = tenant_states(plan, (chosen_tenant(plan, tenant),))
    if as_json:
        output.machine("tenant", schema=SCHEMA, region=region, **_document(plan, found))
        return
    text = Text.assemble(f"tenant     {tenant}  ", _state(found), f"\nnamespace  {found.tenant.namespace}\n")
    text.append(f"services   {_services(plan, found)}, called below {found.tenant.domain}\n")
    text.append(f"budget     {_budget(found.tenant)}\n")
    for person in found.tenant.people:
        text.append(f"person     {person.name}: {person.role.value}\n")
    for key in sorted(found.hard):
        text.append(f"quota      {key}: {found.used.get(key, '0')} of {found.hard[key]}\n")
    text.append(f"queue      {found.waiting} wait, {found.admitted} are admitted {found.queue}\n")
    for reason in found.reasons:
        text.append(f"waits      {reason}\n")
    output.people.print(text, highlight=False, soft_wrap=True, end="")


@app.command()
def hold(region: Region, tenant: Name, yes: Yes = False, as_json: AsJson = False) -> None:
    """Let nothing new of a tenant start; what runs goes on. Ends with `region tenant release`, and not by itself."""
    plan = load_plan(region)
    chosen = chosen_tenant(plan, tenant)
    agree(f"Nothing new of {tenant} starts until it is released: sleeping services do not wake.", yes)
    path = f"/api/v1/namespaces/{chosen.namespace}/resourcequotas"
    on_cluster(region, lambda api: api.put(path, hold_body(chosen.namespace)))
    _done("held", tenant, as_json)


@app.command()
def release(region: Region, tenant: Name, yes: Yes = False, as_json: AsJson = False) -> None:
    """End the hold of a tenant."""
    plan = load_plan(region)
    chosen = chosen_tenant(plan, tenant)
    agree(f"{tenant} may start what it likes again, within its quota.", yes)
    path = f"/api/v1/namespaces/{chosen.namespace}/resourcequotas/{BUDGET_QUOTA}"
    was_held = on_cluster(region, lambda api: api.remove(path))
    _done("released" if was_held else "not-held", tenant, as_json)


def hold_body(namespace: str) -> dict[str, Any]:
    """The quota that allows no new pod."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": BUDGET_QUOTA, "namespace": namespace},
        "spec": {"hard": {"pods": "0"}},
    }


def _done(what: str, tenant: str, as_json: bool) -> None:
    if as_json:
        output.machine(what, schema=SCHEMA, tenant=tenant)
    else:
        output.people.print(f"{tenant}: {what.replace('-', ' ')}")


def _services(plan: RegionPlan, found: TenantState) -> int:
    return sum(service.tenant == found.tenant.name for service in plan.runtime.services)


def _budget(tenant: TenantPlan) -> str:
    return f"€{tenant.budget.month_eur:,.2f} a month, then {tenant.budget.at_limit.value}" if tenant.budget else "none"


def _state(found: TenantState) -> Text:
    if found.is_held:
        return Text("held", style="bold red")
    if found.queue:
        return Text(f"queue: {found.queue}", style="bold red")
    return Text("waits", style="yellow") if found.waiting else Text("good", style="green")


def _document(plan: RegionPlan, found: TenantState) -> dict[str, Any]:
    budget = found.tenant.budget
    return {
        "tenant": found.tenant.name,
        "namespace": found.tenant.namespace,
        "services": _services(plan, found),
        "gpus": {"used": found.gpus[0], "allowed": found.gpus[1], "promised": found.tenant.gpus},
        "pods": {"used": found.pods[0], "allowed": found.pods[1]},
        "quota": {key: {"used": found.used.get(key, "0"), "allowed": found.hard[key]} for key in sorted(found.hard)},
        "queue": {"waiting": found.waiting, "admitted": found.admitted, "reasons": list(found.reasons)},
        "budget": {"month_eur": budget.month_eur, "at_limit": budget.at_limit.value} if budget else None,
        "held": found.is_held,
    }
