"""Views of a region for people: what is planned, what stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from components.checks.result import CheckResult, Status, worst
from components.engine.action import Record
from components.engine.journal import Journal
from components.errors import Problem, SpecError
from components.plan.model import RegionPlan, TrayRole
from stacks.cli import output
from stacks.project import LAYERS, bring_up_folder, state_folder


def how_to_call(plan: RegionPlan) -> str:
    """The one command that calls the region's first service; rather one that asks for no key."""
    callable_ones = [service for service in plan.runtime.services if service.url]
    if not callable_ones:
        return "the region runs no service that is called"
    service = min(callable_ones, key=lambda each: each.has_keys)
    if service.has_keys:
        return f"curl --connect-to ::{plan.runtime.gateway_vip} -H 'Authorization: Bearer KEY' {service.url}"
    return f"curl -H 'Host: {service.host}' http://{plan.runtime.gateway_vip}/"


def refuse_protected(plan: RegionPlan, layers: tuple[str, ...]) -> None:
    """Raise SpecError if taking the layers down would wipe a protected rack."""
    protected = [rack.name for rack in plan.racks if rack.protect] if "substrate" in layers else []
    if protected:
        raise SpecError(
            "protected racks are not taken down",
            [
                Problem(
                    path=f"racks.{name}.protect",
                    message="the rack is protected",
                    found="true",
                    allowed="false",
                    remedy="drain it, set protect: false, run `region up`, then try again",
                )
                for name in protected
            ],
        )


def refuse_losing_logins(region: str) -> None:
    """Raise SpecError if forgetting the region would remove the only logins of its BMCs."""
    minted = sorted((bring_up_folder(region) / "passwords").glob("*.json"))
    if minted:
        raise SpecError(
            "BMCs are opened by nothing but what is kept here",
            [
                Problem(
                    path=str(path),
                    message="holds the logins that were minted when the rack was brought up",
                    remedy="move it to where you keep secrets, or remove it if the rack is gone; then try again",
                )
                for path in minted
            ],
        )


def in_words(action: Record) -> str:
    """A row of the journal as an operator reads it: when, which layer, what was done to which device, how it ended."""
    when = datetime.fromtimestamp(action.intent_at).astimezone()
    took = f" in {action.outcome_at - action.intent_at:.0f} s" if action.outcome_at else ""
    ended = f"{action.outcome}{took}" if action.outcome else "no outcome recorded: the next run finds it out"
    return f"{when:%Y-%m-%d %H:%M:%S}  {action.scope:9}  {action.kind} {action.target}: {ended}"


def show_status(plan: RegionPlan, as_json: bool) -> None:
    """Live state, one row a thing, from the read-only checks; then the last physical actions."""
    from stacks.cli import bring_up_ended  # the engine and the clients behind both are slow to import
    from stacks.cli.verify import verify_region

    results = verify_region(plan, LAYERS, wake=False)
    actions = Journal.read_history(state_folder(plan.region) / "journal.db", limit=10)
    brought_up = bring_up_ended.bring_ups(plan.region)
    if as_json:
        output.machine("status", schema=1, checks=_plain(results), actions=_plain(actions), bring_up=_plain(brought_up))
        return
    table = Table(title=f"region {plan.region}", title_justify="left")
    for column in ("thing", "role", "address", "state"):
        table.add_column(column)

    def row(name: str, role: str, address: str) -> None:
        mine = [r for r in results if name in r.name.split(".")]
        table.add_row(name, role, address, _state(mine))

    for s in plan.fabric.switches:
        row(s.name, s.role, s.oob_address)
    for h in plan.hosts:
        row(h.name, h.role.replace("_", " "), h.oob_address if h.role is not TrayRole.SPARE else h.bmc_address)
    for s in plan.runtime.services:
        row(s.name, "service", s.host)
    output.people.print(table)
    for layer in LAYERS:
        mine = [r for r in results if r.name.startswith(f"{layer}.")]
        bad = [r for r in mine if r.status in (Status.FAIL, Status.WARN)]
        output.people.print(
            Text.assemble(
                f"{layer:10}",
                (worst(mine).value, output.STYLES[worst(mine)]),
                f"  {len(mine)} checks" + "".join(f"\n           {r.name}: {r.found}" for r in bad[:5]),
            )
        )
    for status in brought_up:
        for line in bring_up_ended.in_words(status):
            output.people.print(line, soft_wrap=True)
    for action in actions:
        output.people.print(Text(f"  {in_words(action)}", style="dim"), soft_wrap=True)


def _plain(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(row) for row in rows]


def _state(results: list[CheckResult]) -> Text:
    if not results:
        return Text("not checked", style="dim")
    state = worst(results)
    bad = next((r for r in results if r.status is state), results[0])
    return Text("good" if state is Status.OK else bad.found, style=output.STYLES[state])
