"""Views of a region: what is planned, what stands, and exports for other programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from components.checks.result import CheckResult, Status, worst
from components.engine.journal import Journal
from components.errors import Problem, SpecError
from components.plan.dns import records
from components.plan.inventory import ansible_inventory
from components.plan.model import RegionPlan, TrayRole
from components.plan.wiring import wiring
from stacks.cli import output
from stacks.project import LAYERS, load_hardware, load_plan, state_folder


@dataclasses.dataclass(frozen=True)
class View:
    """A view of a region that other programs read."""

    render: Callable[[RegionPlan], Any]
    load: Callable[[str], RegionPlan] = load_plan


EXPORTS = {
    # the datacenter is built from these before anything is published in it
    "wiring": View(wiring, load_hardware),
    "dns": View(records, load_hardware),
    "inventory": View(ansible_inventory),
    "plan": View(dataclasses.asdict),
}


def export(region: str, what: str) -> Any:
    """One of EXPORTS for a region; raises SpecError for another name."""
    if what not in EXPORTS:
        raise SpecError(
            "unknown export",
            [Problem(path="what", message="there is no such view", found=what, allowed=", ".join(EXPORTS))],
        )
    view = EXPORTS[what]
    return view.render(view.load(region))


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


def _tree(plan: RegionPlan) -> Tree:
    tree = Tree(f"[bold]{plan.region}[/] ({plan.domain})")
    fabric = tree.add(f"fabric: {len(plan.fabric.switches)} switches, {len(plan.fabric.cables)} cables")
    for s in plan.fabric.switches:
        fabric.add(f"{s.name}  {s.role}  AS{s.asn}  {s.loopback}  {len(s.ports)} ports, managed at {s.oob_address}")
    for rack in plan.racks:
        node = tree.add(
            f"rack {rack.name}: {len(rack.hosts)} trays, image {rack.image}{', protected' if rack.protect else ''}"
        )
        for h in rack.hosts:
            node.add(f"{h.name}  {h.role}  serial {h.serial}  {h.loopback}  BMC {h.bmc_address}")
    cluster = tree.add(
        f"cluster {plan.cluster.name}: Kubernetes {plan.cluster.kubernetes_version}, API {plan.cluster.api_address}"
    )
    for n in plan.cluster.namespaces:
        cluster.add(f"namespace {n.name}: {n.pods} pods, {n.gpus} GPUs")
    runtime = tree.add(f"gateway {plan.runtime.gateway} at {plan.runtime.gateway_vip}")
    for s in plan.runtime.services:
        runtime.add(f"service {s.name}: {s.gpus} GPU, {s.min_replicas} to {s.max_replicas} replicas, http://{s.host}/")
    return tree


def show_plan(plan: RegionPlan, as_json: bool) -> None:
    """The compiled region as a tree."""
    if as_json:
        output.machine("plan", schema=1, plan=dataclasses.asdict(plan))
    else:
        output.people.print(_tree(plan), highlight=False)


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
