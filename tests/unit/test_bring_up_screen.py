"""What is shown of a bring-up: on a screen, in lines, for machines, and at the end."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from components.engine.acceptance_verdict import Anchor
from components.engine.bring_up.event import StepOutcome
from components.engine.bring_up.result import Isolation, RackEnd, RackResult, Result
from components.engine.forecast import Forecast
from components.plan.bring_up.cause import Cause
from stacks.cli import output
from stacks.cli.bring_up_screen import LINE_S, Screen, summary
from stacks.cli.bring_up_tally import RackState, Tally
from tests.bring_up_records import plan, record

RUN = "faulty"


def shown(screen: Screen) -> str:
    text = io.StringIO()
    Console(file=text, width=140, no_color=True).print(screen.render())
    return text.getvalue()


def told(name: str, part: float = 1.0) -> tuple[Tally, Screen]:
    """A screen that was told a part of a run on record."""
    events = record(name)
    began, ended = events[0].at, events[-1].at
    tally = Tally(plan())
    screen = Screen("region up essonne", tally, False, clock=lambda: began + part * (ended - began))
    for event in events:
        if event.at <= began + part * (ended - began):
            screen.take(event)
    return tally, screen


def test_at_the_end_every_endpoint_is_ready_or_isolated() -> None:
    tally, _ = told(RUN)
    assert tally.ready + sum(tally.causes.values()) == tally.endpoints == 3 * 71
    assert tally.causes
    assert sum(tally.states().values()) == 3
    assert tally.states()[RackState.UNDER_WAY] == tally.states()[RackState.WAITING] == 0
    assert not tally.steps(), "nobody is in a step"


def test_the_screen_is_a_few_lines_whatever_happens() -> None:
    for part in (0.0, 0.3, 0.6, 1.0):
        _, screen = told(RUN, part)
        screen.forecast = Forecast(median=1.8e9, low=1.8e9 - 60, high=1.8e9 + 60)
        assert len(shown(screen).rstrip().splitlines()) <= 8


def test_the_screen_names_states_rate_forecast_and_failures_by_cause() -> None:
    tally, screen = told(RUN, 0.9)
    screen.forecast = Forecast(median=1.8e9, low=1.8e9 - 60, high=1.8e9 + 60)
    text = " ".join(shown(screen).split())
    assert "213 ready" in text
    assert "a second" in text
    assert "ready at" in text
    assert "between" in text
    for cause, count in tally.causes.items():
        assert f"{count} {cause}" in text


def test_where_nobody_watches_a_line_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(output, "people", Console(file=said))
    now = 1000.0
    screen = Screen("up", Tally(plan()), False, clock=lambda: now)
    for _ in range(100):
        now += 1
        screen.tick()
    assert len(said.getvalue().splitlines()) == int(100 // LINE_S)
    assert "racks: 3 waiting; 0 of 213 endpoints ready" in said.getvalue()


def test_machines_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen("up", Tally(plan()), True, clock=lambda: 0.0)
    for event in record(RUN)[:50]:
        screen.take(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 50
    assert {line["kind"] for line in lines} == {"step"}
    assert {"rack", "endpoint", "endpoint_kind", "step", "outcome", "seconds", "at"} <= lines[0].keys()


def rack(name: str, end: RackEnd, *causes: Cause) -> RackResult:
    isolated = tuple(
        Isolation(rack=name, endpoint=f"{name}/{n}", kind="compute_tray", step="find", cause=cause, detail="")
        for n, cause in enumerate(causes, 1)
    )
    return RackResult(rack=name, end=end, reason="5 trays are isolated", handed_over=(), isolated=isolated)


def summed(result: Result, tally: Tally) -> str:
    text = io.StringIO()
    console = Console(file=text, width=140, no_color=True)
    for part in summary(result, tally, Anchor(12, "a" * 64), 3):
        console.print(part)
    return " ".join(text.getvalue().split())


def test_the_end_tells_failures_by_cause_with_their_runbooks_and_the_ledgers_head() -> None:
    tally, _ = told(RUN)
    racks = (
        rack("r1", RackEnd.HANDED_OVER_SHORT, Cause.SILENT),
        rack("r2", RackEnd.ISOLATED, *[Cause.SILENT] * 9, Cause.LEAK),
    )
    text = summed(Result(racks=racks, endpoints=142, seconds=3725.0), tally)
    assert "1 handed-over-short, 1 isolated: 2 racks, 142 endpoints, 1:02:05" in text
    assert "docs/runbooks/BmcDoesNotAnswer.md" in text
    assert "docs/runbooks/LeakDetected.md" in text
    assert "and 4 more" in text
    assert "r2 is isolated: 5 trays are isolated" in text
    assert f"3 new entries, head 12:{'a' * 64}" in text


def test_a_run_that_only_observed_says_that_nothing_changed() -> None:
    tally = Tally(plan())
    for event in record("even"):
        if event.outcome is StepOutcome.DONE:
            event = replace(event, outcome=StepOutcome.OBSERVED)
        tally.take(event)
    text = summed(Result(racks=(rack("r1", RackEnd.HANDED_OVER),), endpoints=71, seconds=1.0), tally)
    assert "nothing to change" in text
