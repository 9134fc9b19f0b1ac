"""`region edges`: who is sent to which edge, and how the name servers see each."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from components.checks.edges import check_edges
from components.checks.result import CheckResult, Status, worst
from components.clients.ssh import SshAccess, SshConnection
from components.errors import DeviceError, Problem
from components.plan.edges import SteeringPlan
from components.plan.edges.model import EdgePlan, NameServerPlan
from stacks.cli import output
from stacks.cli.arguments import AsJson
from stacks.project import ROOT

SCHEMA = 1
"""Of the JSON form; raised when a key changes its meaning or goes."""
KNOWN_HOSTS = "file:.region/_steering/known_hosts"
"""Pinned keys of the name servers, which people put there: no layer of a region makes these machines."""
HEALTH = "edges.health."


def edges(
    check: Annotated[bool, typer.Option(help="Also ask each name server how it sees the edges.")] = True,
    as_json: AsJson = False,
) -> None:
    """Edges of services that run in several regions: who is sent to each, and whether the name servers see it well."""
    from stacks.steering import load_plan  # reads every region that it names

    plan = load_plan()
    results = asyncio.run(check_edges(plan, states_of)) if check else []
    rows = [document(plan, edge, results) for edge in plan.edges]
    if as_json:
        output.machine("edges", schema=SCHEMA, domain=plan.domain, worst_s=plan.worst_s, edges=rows)
        output.show_checks(results, as_json)
    else:
        output.people.print(_table(rows))
        if unwell := [each for each in results if each.status is not Status.OK]:
            output.show_checks(unwell, as_json)
    if worst(results) is Status.FAIL:
        raise typer.Exit(1)


async def states_of(server: NameServerPlan, command: str) -> str:
    """What a command says on a name server. Raises SshError, SecretError, DeviceError."""
    access = SshAccess.from_references(ROOT, user="root", private_key=server.ssh_key, known_hosts=KNOWN_HOSTS)
    connection = SshConnection(server.address, access)
    try:
        done = await connection.run(command)
    finally:
        await connection.close()
    if done.code:
        problem = Problem(path=server.address, message=f"`{command}` failed", found=done.err.strip()[-400:])
        raise DeviceError(f"{server.name} does not tell its states", [problem])
    return done.out


def document(plan: SteeringPlan, edge: EdgePlan, results: list[CheckResult]) -> dict[str, Any]:
    """What the steering says of an edge, and each name server that looked at it."""
    pools = [pool for pool in plan.pools if edge.region in pool.regions]
    sites = sorted({network.site for network in plan.networks})
    seen = {
        result.name.removeprefix(f"{HEALTH}{edge.region}."): result.found
        for result in results
        if result.name.startswith(f"{HEALTH}{edge.region}.")
    }
    names = {pool.name for pool in pools}
    return {
        "region": edge.region,
        "site": edge.site,
        "country": edge.country,
        "address": edge.address,
        "hosts": [service.host for service in plan.services if service.pool in names],
        "first_for": [site for site in sites if any(pool.order(site)[0] == edge.region for pool in pools)],
        "seen": seen,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for column in ("edge", "country", "address", "services", "clients it is nearest for", "seen by name servers"):
        shown.add_column(column, justify="right" if column == "services" else "left")
    for row in rows:
        seen = ", ".join(f"{name} {state}" for name, state in row["seen"].items())
        nearest = ", ".join(row["first_for"]) or "nobody"
        shown.add_row(
            row["region"], row["country"], row["address"], str(len(row["hosts"])), nearest, seen or "not asked"
        )
    return shown
