"""`region up`: brings a region to its description, or exactly to an approved plan."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from components.clients.approval import VARIABLE
from components.clients.kubernetes import KubernetesError
from components.errors import Problem
from components.plan.model import RegionPlan
from stacks.cli import costs, output, overview, plan_file
from stacks.cli.arguments import AsJson, Layers, Region, chosen
from stacks.cli.layers import NEEDS, Operation, Phase, raise_for_failures, run_layers
from stacks.cli.preview_run import from_state
from stacks.description import describe, refuse_unready
from stacks.project import ROOT
from stacks.rolling import wake_those_to_change
from stacks.rollout import roll_out


def up(
    region: Region,
    layer: Layers = None,
    as_json: AsJson = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Do exactly what this plan lists; refuse if anything differs.")
    ] = None,
    fleet: Annotated[
        str | None,
        typer.Option(
            "--fleet",
            help="Instead bring the racks up from the floor to the hand-over: delivered:FOLDER, what came with the"
            " machines; or sim:SCENARIO.yaml, simulated ones.",
        ),
    ] = None,
    racks: Annotated[
        int | None, typer.Option("--racks", min=1, help="With --fleet: only so many racks, the first ones.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --fleet delivered: do not ask.")] = False,
) -> None:
    """Bring the region to what its description says. Running it again changes nothing and says so.

    With --fleet it ends with 4 where some racks are isolated and all others are handed over.
    """
    if fleet is None and racks is not None:
        raise typer.BadParameter("racks are counted at their bring-up only: give --fleet too", param_hint="--racks")
    if fleet is not None:
        if plan or layer:
            raise typer.BadParameter("a bring-up comes before all layers: give neither --plan nor --layer")
        from stacks.cli.fleet import up_on_fleet  # the clients behind it are slow to import

        up_on_fleet(region, fleet, racks, yes=yes, as_json=as_json)
        return
    layers = chosen(layer)
    approved = plan_file.read(plan) if plan else None
    if approved and not layer:
        layers = tuple(approved.layers)
    described = describe(region)
    refuse_unready(described)
    with tempfile.TemporaryDirectory(prefix="gpuregion-") as folder:
        plans: Mapping[str, Path] = {}
        variables: Mapping[str, str] = {}
        if plan and approved:
            plans = _held_to(approved, region, layers, Path(folder))
            variables = {VARIABLE: str(plan.resolve())}
        if "runtime" in layers:
            wake_those_to_change(described.plan, ROOT, _say)
        with output.Progress(f"region up {region}", layers, as_json) as progress:
            phases = run_layers(region, layers, Operation.UP, progress.report, plans=plans, variables=variables)
    costs.measure(described.plan)
    output.show_phases(f"region up {region}", phases, as_json)
    raise_for_failures(phases)
    if "runtime" in layers:
        _take_into_use(described.plan, phases)
    if not as_json:
        _say_done(phases)
        if "runtime" in layers:
            output.people.print(overview.how_to_call(described.plan), highlight=False, soft_wrap=True)


def _take_into_use(plan: RegionPlan, phases: Sequence[Phase]) -> None:
    """New versions of services. Raises RolloutError, KubernetesError."""
    try:
        roll_out(plan, ROOT, _say)
    except KubernetesError as error:
        if error.status is not None or any(phase.is_changed for phase in phases):
            raise
        # What is recorded as up is not looked at by a run: only here does it come out that nothing is there.
        problem = Problem(
            path=plan.region,
            message="its layers are recorded as up, so nothing was done, and its cluster does not answer",
            found=error.reasons,
            remedy=f"`region verify {plan.region}` names what is down; are the machines gone for good, as those of an"
            f" earlier lab, then `region forget {plan.region}` and run this again",
        )
        raise KubernetesError("what is recorded as up does not answer", [problem]) from None


def _say(line: str) -> None:
    output.people.print(line, highlight=False, soft_wrap=True)


def _held_to(approved: plan_file.PlanFile, region: str, layers: Sequence[str], folder: Path) -> Mapping[str, Path]:
    """Pulumi's plans for a run that may do nothing else. Raises SpecError, naming what, if it would."""
    change = from_state(region, layers)
    plan_file.refuse_other(approved, plan_file.plan_of(change, layers, {}))
    # What a changed layer hands over is known once it is up, so Pulumi's plans of the layers above do not fit
    # then; the list of actions does, and all of them are held to it.
    changed = {action.layer for action in approved.actions}
    fitting = [name for name in layers if not changed & _below(name)]
    return plan_file.unpack_pulumi(approved, fitting, folder)


def _below(layer: str) -> frozenset[str]:
    """All layers whose outputs it is given, directly or through another."""
    return NEEDS[layer].union(*(_below(need) for need in NEEDS[layer]))


def _say_done(phases: list[Phase]) -> None:
    changed = any(phase.is_changed for phase in phases)
    output.people.print(
        "the region is as described" if changed else "nothing to change: the region is as described already"
    )
