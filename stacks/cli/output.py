"""What the command line prints: rich for people on standard error, JSON lines for machines on standard output."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from components.checks.result import CheckResult, Status
from components.errors import RegionError
from stacks.cli.layers import Phase, State

people = Console(stderr=True)
"""Console for people; honours NO_COLOR and is quiet about colour when it is no terminal."""

STYLES = {
    State.WAITING: "dim",
    State.RUNNING: "cyan",
    State.DONE: "green",
    State.UNCHANGED: "green",
    State.FAILED: "bold red",
    State.SKIPPED: "yellow",
    Status.OK: "green",
    Status.SKIP: "dim",
    Status.WARN: "yellow",
    Status.FAIL: "bold red",
}


def machine(kind: str, **data: Any) -> None:
    """One JSON line for machines."""
    sys.stdout.write(json.dumps({"kind": kind, **data}, default=str) + "\n")
    sys.stdout.flush()


def changes_text(phase: Phase) -> str:
    """The resources of a phase in words, e.g. `2 create, 5 same`."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(phase.changes.items()))


class Progress:
    """Shows all phases while they run: what, how many of how many, elapsed, what is next."""

    def __init__(self, title: str, layers: Iterable[str], as_json: bool) -> None:
        self._phases = {layer: Phase(layer) for layer in layers}
        self._title, self._json = title, as_json
        self._started = time.monotonic()
        self._begin: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live = Live(get_renderable=self._render, console=people, refresh_per_second=4, transient=True)
        self._quiet = as_json or not people.is_terminal

    def __enter__(self) -> Progress:
        if not self._quiet:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._quiet:
            self._live.stop()

    def report(self, phase: Phase) -> None:
        """Take the newest state of a phase."""
        with self._lock:
            is_new_state = self._phases[phase.layer].state is not phase.state or phase.layer not in self._begin
            if phase.state is State.RUNNING:
                self._begin.setdefault(phase.layer, time.monotonic())
            self._phases[phase.layer] = Phase(
                phase.layer, phase.state, phase.seconds, dict(phase.changes), [], phase.now, phase.error
            )
            if self._json:
                machine(
                    "progress", layer=phase.layer, state=phase.state, now=phase.now, seconds=round(phase.seconds, 1)
                )
            elif self._quiet and is_new_state:
                people.print(
                    f"{self._elapsed():7.1f} s  {phase.layer}: {phase.state} {changes_text(phase)}", highlight=False
                )

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _render(self) -> Group:
        table = Table.grid(padding=(0, 2))
        ended = 0
        waiting: list[str] = []
        for layer, phase in self._phases.items():
            running = phase.state is State.RUNNING
            ended += phase.state in (State.DONE, State.UNCHANGED, State.FAILED, State.SKIPPED)
            if phase.state is State.WAITING:
                waiting.append(layer)
            seconds = time.monotonic() - self._begin[layer] if running and layer in self._begin else phase.seconds
            mark = Spinner("dots") if running else Text("•", style=STYLES[phase.state])
            table.add_row(
                mark,
                Text(layer),
                Text(phase.state, style=STYLES[phase.state]),
                Text(f"{seconds:.0f} s" if seconds else ""),
                Text(phase.now[:100], overflow="ellipsis", no_wrap=True),
            )
        head = f"{self._title}: {ended} of {len(self._phases)} layers, {self._elapsed():.0f} s"
        return Group(Text(head + (f", next {waiting[0]}" if waiting else ""), style="bold"), table)


def show_phases(title: str, phases: list[Phase], as_json: bool) -> None:
    """The closing table of phases and times."""
    if as_json:
        machine(
            "result",
            phases=[
                {
                    "layer": p.layer,
                    "state": p.state,
                    "seconds": round(p.seconds, 1),
                    "changes": p.changes,
                    "details": p.details,
                    "error": p.error,
                }
                for p in phases
            ],
        )
        return
    table = Table(title=title, title_justify="left")
    for column in ("layer", "result", "seconds", "resources"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for p in phases:
        table.add_row(p.layer, Text(p.state, style=STYLES[p.state]), f"{p.seconds:.1f}", changes_text(p))
    people.print(table)


def show_checks(results: list[CheckResult], as_json: bool) -> None:
    """Each check with what was expected, what was found, and a remedy."""
    if as_json:
        machine(
            "checks",
            schema=1,
            checks=[
                {"name": r.name, "status": r.status, "expected": r.expected, "found": r.found, "remedy": r.remedy}
                for r in results
            ],
        )
        return
    width = max((len(r.name) for r in results), default=0)
    for r in results:
        line = Text.assemble((f"{r.status:5}", STYLES[r.status]), f"{r.name:{width}}  ")
        if r.status is Status.OK:
            people.print(line + Text(r.expected, style="dim") + Text(f": {r.found}"), soft_wrap=True)
            continue
        people.print(line)
        for label, value in (("expected", r.expected), ("found", r.found), ("remedy", r.remedy)):
            if value:
                people.print(Text(f"        {label:10}{value}"), soft_wrap=True)
    counts = Counter(r.status for r in results)
    people.print(", ".join(f"{counts[s]} {s}" for s in Status if counts[s]) or "no checks")


def show_error(error: RegionError, as_json: bool) -> None:
    """A failure in the words of its problems, each on one line so that a log can be searched; never a traceback."""
    if as_json:
        machine("error", schema=1, message=error.message, problems=[vars(p) for p in error.problems])
        return
    people.print(Text(f"error: {error.message}", style="bold red"), soft_wrap=True)
    for problem in error.problems:
        people.print(Text(f"  {problem}"), soft_wrap=True)
