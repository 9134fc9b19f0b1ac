"""Views of a region for people: what is planned, what stands."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.table import Table
from rich.text import Text

from components.checks.result import CheckResult, Status, worst
from components.engine.journal import Journal
from components.errors import Problem, SpecError
from components.plan.model import RegionPlan, TrayRole
from stacks.cli import output
from stacks.project import LAYERS, state_folder


def how_to_call(plan: RegionPlan) -> str:
    """The one command that calls the region's first service."""
    if not plan.runtime.services:
        return "the region runs no service"
    return f"curl -H 'Host: {plan.runtime.services[0].host}' http://{plan.runtime.gateway_vip}/"


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


def _actions(region: str) -> list[dict[str, Any]]:
    path = state_folder(region) / "journal.db"
    if not path.exists():
        return []
    return [dataclasses.asdict(row) for row in Journal.read_history(path, limit=10)]


def show_status(plan: RegionPlan, as_json: bool) -> None:
    """Live state, one row a thing, from the read-only checks; then the last physical actions."""
    from stacks.cli.verify import verify_region  # the clients behind it are slow to import

    results = verify_region(plan, LAYERS, wake=False)
    actions = _actions(plan.region)
    if as_json:
        output.machine("status", schema=1, checks=[dataclasses.asdict(r) for r in results], actions=actions)
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
    for action in actions:
        output.people.print(
            Text("  " + "  ".join(str(v) for v in action.values() if v not in (None, "")), style="dim"), soft_wrap=True
        )


def _state(results: list[CheckResult]) -> Text:
    if not results:
        return Text("not checked", style="dim")
    state = worst(results)
    bad = next((r for r in results if r.status is state), results[0])
    return Text("good" if state is Status.OK else bad.found, style=output.STYLES[state])
