"""What is shown of a bring-up: a live screen on a terminal, a line every so often elsewhere, JSON for machines.

Owns the words and bars. It is told events in the event loop, so it only counts there; a timer draws.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from components.engine.acceptance_verdict import Anchor
from components.engine.bring_up.event import StepEvent, StepOutcome
from components.engine.bring_up.result import RackEnd, Result
from components.engine.forecast import Forecast
from stacks.cli import output
from stacks.cli.bring_up_tally import RackState, Tally
from stacks.cli.ledger import in_words as in_words_of_ledger

BAR = 50
LINE_S = 15.0
"""Between lines where nobody watches a screen."""
SHOWN = 6
"""Racks or endpoints that are named; the rest is a number."""
STYLES = {
    RackState.HANDED_OVER: "green",
    RackState.SHORT: "yellow",
    RackState.ISOLATED: "bold red",
    RackState.UNDER_WAY: "cyan",
    RackState.WAITING: "dim",
}
BLOCKS = {
    RackState.HANDED_OVER: "█",
    RackState.SHORT: "▓",
    RackState.ISOLATED: "x",
    RackState.UNDER_WAY: "▒",
    RackState.WAITING: "░",
}


class Screen:
    """Shows one run."""

    def __init__(self, title: str, tally: Tally, as_json: bool, clock: Callable[[], float] = time.time) -> None:
        self._title, self._tally, self._json, self._clock = title, tally, as_json, clock
        self._began = clock()
        self._spoke = self._began
        self.forecast: Forecast | None = None
        self._live = None if as_json or not output.people.is_terminal else self._made()

    def _made(self) -> Live:
        return Live(get_renderable=self.render, console=output.people, refresh_per_second=4, transient=True)

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def take(self, event: StepEvent) -> None:
        """Note one event."""
        self._tally.take(event)
        if self._json:
            told = dataclasses.asdict(event)
            output.machine("step", endpoint_kind=told.pop("kind"), **told)

    def tick(self) -> None:
        """Called every second or so: says a line if it is time for one."""
        now = self._clock()
        if self._live is not None or now - self._spoke < LINE_S:
            return
        self._spoke = now
        if self._json:
            output.machine("progress", **self.numbers())
        else:
            output.people.print(self.line(), highlight=False, soft_wrap=True)

    def numbers(self) -> dict[str, object]:
        """The state of the run for machines."""
        tally, forecast = self._tally, self.forecast
        return {
            "at": round(self._clock(), 3),
            "racks": {state.value: count for state, count in tally.states().items()},
            "ready": tally.ready,
            "endpoints": tally.endpoints,
            "steps_a_second": round(tally.rate(self._clock()), 1),
            "forecast": dataclasses.asdict(forecast) if forecast else None,
            "failures": dict(tally.causes),
        }

    def line(self) -> str:
        """The state of the run in one line."""
        tally, now = self._tally, self._clock()
        states = tally.states()
        racks = ", ".join(f"{states[state]} {state}" for state in STYLES if states[state])
        failed = f"; isolated: {_causes(tally)}" if tally.causes else ""
        return (
            f"{now - self._began:7.0f} s  racks: {racks}; {tally.ready:,} of {tally.endpoints:,} endpoints ready, "
            f"{tally.rate(now):.0f} steps/s; {in_words(self.forecast, now)}{failed}"
        )

    def render(self) -> RenderableType:
        """The screen."""
        return Group(*self._parts())

    def _parts(self) -> Iterator[RenderableType]:
        tally, now = self._tally, self._clock()
        states = tally.states()
        yield Text.assemble((self._title, "bold"), f"  {_clock_of(now - self._began)}")
        yield Text.assemble(*_bar(states))
        counts: list[str | tuple[str, str]] = []
        for state, style in STYLES.items():
            if states[state]:
                counts += [(f"{BLOCKS[state]} {states[state]} {state}", style), "   "]
        yield Text.assemble("  ", *counts)
        grid = Table.grid(padding=(0, 2))
        rate = tally.rate(now)
        grid.add_row(
            "  endpoints", f"{tally.ready:,} of {tally.endpoints:,} ready, {sum(tally.causes.values())} isolated"
        )
        grid.add_row("  steps", f"{rate:,.0f} a second" + "".join(f" · {step} {n:,}" for step, n in tally.steps()))
        grid.add_row("  forecast", Text(in_words(self.forecast, now), style="bold"))
        if tally.causes:
            grid.add_row("  failures", Text(_causes(tally), style="yellow"))
        yield grid


def in_words(forecast: Forecast | None, now: float) -> str:
    """`ready at 14:20, between 14:05 and 14:50`; with seconds when it is near."""
    if forecast is None:
        return "no forecast yet"
    form = "%H:%M:%S" if forecast.high - now < 1800 else "%H:%M"
    median, low, high = (datetime.fromtimestamp(at).strftime(form) for at in dataclasses.astuple(forecast))  # noqa: DTZ006 - the reader's own clock
    return f"ready at {median}, between {low} and {high}"


def summary(
    result: Result, tally: Tally, ledger: Anchor | None, added: int, away: str = ""
) -> Iterator[RenderableType]:
    """What a run ends with: racks, failures by cause with their runbooks, and the ledger's head."""
    ends = result.by_end()
    racks = ", ".join(f"{ends[end]} {end}" for end in RackEnd if ends[end])
    yield Text(
        f"{racks}: {len(result.racks)} racks, {result.endpoints:,} endpoints, {_clock_of(result.seconds)}", "bold"
    )
    if not tally.acted and not ends[RackEnd.ISOLATED]:
        yield Text(
            f"nothing to change: all of it was found as it should be ({tally.outcomes[StepOutcome.OBSERVED]:,} steps observed)"
        )
    groups = result.by_cause()
    if groups:
        table = Table(title="left alone until somebody has looked", title_justify="left")
        for column in ("cause", "endpoints", "which", "runbook"):
            table.add_column(column, justify="right" if column == "endpoints" else "left", overflow="fold")
        for group in groups:
            more = f" and {len(group.endpoints) - SHOWN} more" if len(group.endpoints) > SHOWN else ""
            table.add_row(
                group.cause, str(len(group.endpoints)), ", ".join(group.endpoints[:SHOWN]) + more, group.runbook
            )
        yield table
    for rack in [r for r in result.racks if r.end is RackEnd.ISOLATED][:SHOWN]:
        yield Text(f"  {rack.rack} is isolated: {rack.reason}", style="bold red")
    yield Text(in_words_of_ledger(added, ledger, away))


def result_data(result: Result, tally: Tally, ledger: Anchor | None, added: int, away: str = "") -> dict[str, object]:
    """The same for machines."""
    return {
        "seconds": round(result.seconds, 1),
        "racks": {end.value: count for end, count in result.by_end().items()},
        "endpoints": result.endpoints,
        "changed": tally.acted,
        "causes": [dataclasses.asdict(group) for group in result.by_cause()],
        "isolated": [{"rack": r.rack, "reason": r.reason} for r in result.racks if r.end is RackEnd.ISOLATED],
        "ledger": {"head": str(ledger) if ledger else None, "added": added, "away": away},
    }


def _causes(tally: Tally) -> str:
    return ", ".join(f"{count} {cause}" for cause, count in tally.causes.most_common())


def _bar(states: dict[RackState, int]) -> Iterator[str | tuple[str, str]]:
    """Every state that a rack is in shows, however few there are."""
    racks = sum(states.values())
    width = {state: max(1, round(BAR * count / racks)) for state, count in states.items() if count}
    yield "  "
    for state, style in STYLES.items():
        yield BLOCKS[state] * width.get(state, 0), style


def _clock_of(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
