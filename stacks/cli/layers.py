"""Runs the layers of a region through Pulumi's Automation API.

Owns the order of layers and what an operator is told of each; what a layer does stands in
stacks/layers. Layers that do not depend on each other run side by side.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pulumi import automation

from components.errors import DeviceError, Problem
from stacks.cli.environment import destroy_environment, use_pulumi
from stacks.cli.stale_locks import drop_stale_locks
from stacks.cli.surroundings import alone, scratch
from stacks.project import LAYERS, ROOT, StackName

NEEDS: Mapping[str, frozenset[str]] = {
    "fabric": frozenset(),
    # machines are provisioned over the out-of-band network, so they need no fabric
    "substrate": frozenset(),
    "cluster": frozenset({"fabric", "substrate"}),
    "runtime": frozenset({"cluster"}),
}
"""Which layers must be up before a layer."""

RUNBOOKS = {
    "fabric": "docs/runbooks/BgpSessionDown.md",
    "substrate": "docs/runbooks/HostDoesNotDeploy.md",
    "cluster": "docs/runbooks/NodeNotReady.md",
    "runtime": "docs/runbooks/FunctionDoesNotWake.md",
}


class Operation(StrEnum):
    """What is done with a layer."""

    UP = "up"
    PREVIEW = "preview"
    DESTROY = "destroy"


class State(StrEnum):
    """Where a layer stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass
class Phase:
    """Progress and result of one layer."""

    layer: str
    state: State = State.WAITING
    seconds: float = 0.0
    changes: dict[str, int] = field(default_factory=dict[str, int])
    """Pulumi's summary: operation (create, update, same, delete, ...) -> count of resources."""
    details: list[str] = field(default_factory=list[str])
    """One line for each resource that changes, with the properties that differ."""
    now: str = ""
    """What it is doing at this moment."""
    error: str = ""
    plan: Path | None = None
    """Pulumi's plan: a preview writes it, an update does nothing else."""

    @property
    def is_changed(self) -> bool:
        """Whether anything but `same` happened."""
        return any(count for kind, count in self.changes.items() if kind not in ("same", "read"))


Report = Callable[[Phase], None]
"""Called whenever a phase has something new to show; may be called from several threads."""

_MARKUP = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*m")


def _on_event(phase: Phase, report: Report) -> Callable[[automation.EngineEvent], None]:
    problems: list[str] = []

    def handle(event: automation.EngineEvent) -> None:
        if event.diagnostic_event:
            text = _MARKUP.sub("", event.diagnostic_event.message).strip()
            if event.diagnostic_event.severity == "error":
                if text and text not in problems:
                    problems.append(text)
                    phase.error = "\n".join(problems)
            elif text and event.diagnostic_event.severity != "debug":
                phase.now = text.splitlines()[-1]
                report(phase)
        elif event.resource_pre_event:
            step = event.resource_pre_event.metadata
            if step.op.value not in ("same", "read"):
                name = step.urn.rpartition("::")[2]
                differs = f" ({', '.join(step.diffs)})" if step.diffs else ""
                phase.details.append(f"{step.op.value} {step.type} {name}{differs}")
                phase.now = f"{step.op.value} {name}"
                report(phase)
        elif event.summary_event:
            phase.changes = {
                str(k.value if hasattr(k, "value") else k): v for k, v in event.summary_event.resource_changes.items()
            }

    return handle


def run_layer(region: str, phase: Phase, operation: Operation, report: Report, variables: Mapping[str, str]) -> None:
    """Run one layer to its end; the phase says how it went. Never raises for a failing layer.

    `variables` are added to the environment of this layer's Pulumi.
    """
    started = time.monotonic()
    phase.state = State.RUNNING
    report(phase)
    try:
        options = automation.LocalWorkspaceOptions(env_vars=variables)
        stack = automation.select_stack(str(StackName(region, phase.layer)), work_dir=str(ROOT), opts=options)
        handle = _on_event(phase, report)
        plan = str(phase.plan) if phase.plan else None
        match operation:
            case Operation.UP:
                stack.up(on_event=handle, color="never", suppress_outputs=True, plan=plan)
            case Operation.PREVIEW:
                stack.preview(on_event=handle, color="never", plan=plan)
            case Operation.DESTROY:
                stack.destroy(on_event=handle, color="never", suppress_outputs=True)
        phase.state = State.DONE if phase.is_changed else State.UNCHANGED
    except automation.CommandError as error:
        phase.state = State.FAILED
        phase.error = phase.error or _MARKUP.sub("", str(error)).strip()
    finally:
        phase.seconds = time.monotonic() - started
        report(phase)


def _skip(phase: Phase, why: str, report: Report) -> None:
    phase.state, phase.error = State.SKIPPED, why
    report(phase)


def _create_stacks(region: str) -> None:
    """Make the stacks of a region that do not exist yet: layers refer to each other's, also before they are up."""
    workspace = automation.LocalWorkspace(work_dir=str(ROOT))
    existing = {stack.name.rpartition("/")[2] for stack in workspace.list_stacks()}
    for layer in LAYERS:
        if str(StackName(region, layer)) not in existing:
            workspace.create_stack(str(StackName(region, layer)))


def forget_stacks(region: str) -> int:
    """Remove the stacks of a region with their state, whatever they hold; returns how many there were."""
    use_pulumi()
    with alone(region):
        workspace = automation.LocalWorkspace(work_dir=str(ROOT))
        existing = {stack.name.rpartition("/")[2] for stack in workspace.list_stacks()}
        mine = [name for layer in LAYERS if (name := str(StackName(region, layer))) in existing]
        drop_stale_locks(mine)
        for name in mine:
            workspace.remove_stack(name, force=True)
        # A stack whose state is gone already leaves its settings, and with them the salt of a passphrase that may be
        # gone too: no new stack of this name could be made.
        for layer in LAYERS:
            (ROOT / f"Pulumi.{StackName(region, layer)}.yaml").unlink(missing_ok=True)
    return len(mine)


def run_layers(
    region: str,
    layers: tuple[str, ...],
    operation: Operation,
    report: Report,
    *,
    plans: Mapping[str, Path] | None = None,
    variables: Mapping[str, str] | None = None,
) -> list[Phase]:
    """Run layers in the order of their needs (reversed for destroy); previews all at once.

    `plans` are files of Pulumi's plans by layer; `variables` are added to the environment of each layer's Pulumi.

    A failed layer does not stop those that do not need it; the ones that do are skipped. Only one run at a time
    may change a region; a preview touches nothing and waits for nobody.
    """
    use_pulumi()
    with contextlib.nullcontext() if operation is Operation.PREVIEW else alone(region):
        _create_stacks(region)
        if operation is not Operation.PREVIEW:
            drop_stale_locks(str(StackName(region, layer)) for layer in layers)
        phases = {layer: Phase(layer, plan=(plans or {}).get(layer)) for layer in layers}
        return _run_layers(region, phases, operation, report, variables or {})


def _run_layers(
    region: str, phases: Mapping[str, Phase], operation: Operation, report: Report, variables: Mapping[str, str]
) -> list[Phase]:
    layers = tuple(phases)
    if operation is Operation.DESTROY:
        needs = {layer: frozenset(other for other in layers if layer in NEEDS[other]) for layer in layers}
    elif operation is Operation.PREVIEW:
        needs = {layer: frozenset[str]() for layer in layers}
    else:
        needs = {layer: NEEDS[layer] & phases.keys() for layer in layers}
    with scratch(), concurrent.futures.ThreadPoolExecutor(len(layers)) as pool:
        running: dict[concurrent.futures.Future[None], str] = {}
        waiting = list(layers)
        while waiting or running:
            for layer in list(waiting):
                before = {phases[need].state for need in needs[layer]}
                if before & {State.FAILED, State.SKIPPED}:
                    waiting.remove(layer)
                    _skip(phases[layer], "a layer that it needs did not come up", report)
                elif before <= {State.DONE, State.UNCHANGED}:
                    waiting.remove(layer)
                    more = destroy_environment(layer, layers) if operation is Operation.DESTROY else {}
                    given = {**variables, **more}
                    running[pool.submit(run_layer, region, phases[layer], operation, report, given)] = layer
            if running:
                ended, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in ended:
                    del running[future]
                    future.result()
    return list(phases.values())


def raise_for_failures(phases: list[Phase]) -> None:
    """Raise DeviceError with a problem for each layer that failed."""
    failed = [p for p in phases if p.state is State.FAILED]
    if failed:
        raise DeviceError(
            f"{len(failed)} of {len(phases)} layers did not complete",
            [
                Problem(
                    path=p.layer,
                    message=p.error or "failed without a message",
                    remedy=f"see {RUNBOOKS[p.layer]}, then run the same command again",
                )
                for p in failed
            ],
        )
