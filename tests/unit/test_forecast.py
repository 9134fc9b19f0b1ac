"""The forecast of a bring-up: its form, and its error on runs that were recorded."""

from __future__ import annotations

import pytest

from components.engine.bring_up.event import StepEvent, StepOutcome
from components.engine.bring_up.services import Tempo
from components.engine.forecast import Forecast, Forecaster
from components.engine.forecast_history import History
from components.spec.catalogue.bring_up import StepName
from components.spec.catalogue.firmware import Endpoint
from tests.bring_up_records import NAMES, TEMPO, plan, record

PARTS = (0.25, 0.5, 0.75)
SHARE_WITHIN = 0.75
"""Of the forecasts at these parts of the recorded runs, so many have the true end in their interval."""


def history(name: str) -> History:
    """What a run on record leaves behind."""
    taught = Forecaster(plan(), tempo=TEMPO)
    for event in record(name):
        taught.take(event)
    return taught.history


def at(name: str, part: float, past: History | None = None, seed: int = 1) -> tuple[Forecast, float, float]:
    """The forecast at a part of a run, with the times of its beginning and its end."""
    events = record(name)
    began, ended = events[0].at, events[-1].at
    now = began + part * (ended - began)
    forecaster = Forecaster(plan(), tempo=TEMPO, history=past, seed=seed)
    for event in events:
        if event.at > now:
            break
        forecaster.take(event)
    return forecaster.forecast(now), began, ended


def test_most_intervals_hold_the_true_end() -> None:
    others = {name: history(next(n for n in NAMES if n != name)) for name in NAMES}
    within: list[bool] = []
    for name in NAMES:
        for part in PARTS:
            for past, words in ((None, "first run"), (others[name], "with history")):
                found, began, ended = at(name, part, past)
                within.append(found.low <= ended <= found.high)
                error = (found.median - ended) / (ended - began)
                width = (found.high - found.low) / (ended - began)
                print(
                    f"{name:8} {part:4.0%} {words:13} off {error:+6.1%} of the run, interval {width:6.1%} {within[-1]}"
                )
    print(f"{sum(within)} of {len(within)} intervals hold the end")
    assert len(within) == len(NAMES) * len(PARTS) * 2 >= 18
    assert sum(within) >= SHARE_WITHIN * len(within)


def test_history_narrows_the_first_forecast() -> None:
    name, other = NAMES[:2]
    first, began, _ = at(name, 0.1)
    taught, _, _ = at(name, 0.1, history(other))
    assert began <= taught.low <= taught.median <= taught.high
    assert taught.high - taught.low < first.high - first.low


def test_the_same_seed_gives_the_same_forecast() -> None:
    assert at(NAMES[0], 0.5) == at(NAMES[0], 0.5)


def test_a_run_that_is_over_ends_now() -> None:
    found, _, ended = at(NAMES[0], 1.0)
    assert found == Forecast(median=ended, low=ended, high=ended)


def test_before_anything_is_seen_the_interval_is_wide_and_ahead() -> None:
    found = Forecaster(plan(), tempo=TEMPO).forecast(1_800_000_000.0)
    assert 1_800_000_000.0 < found.low < found.median < found.high
    assert (found.high - 1_800_000_000.0) > 2 * (found.low - 1_800_000_000.0)


def test_events_of_endpoints_that_are_not_planned_are_left_aside() -> None:
    stranger = StepEvent(
        at=1.0, rack="r", endpoint="r/1", kind="dpu", step="find", outcome=StepOutcome.DONE, seconds=1.0
    )
    forecaster = Forecaster(plan(), tempo=TEMPO)
    forecaster.take(stranger)
    assert not forecaster.history.steps


def test_a_step_is_expected_to_take_what_it_took_lately_and_not_while_many_wanted_answers() -> None:
    racks, busy = 46, 17
    fleet = plan(racks)
    forecaster = Forecaster(fleet, tempo=TEMPO)
    for number, rack in enumerate(fleet.racks):
        for each in rack.endpoints:
            for step in fleet.bring_up.kind(each.kind).steps:
                if number == racks - 1 and each.kind is Endpoint.COMPUTE_TRAY and step.step is StepName.CONFIGURE:
                    break  # the last rack's trays are still to do from here
                took = 60.0 if number < busy and step.step is StepName.CONFIGURE else 0.1
                event = StepEvent(
                    at=1.0,
                    rack=rack.name,
                    endpoint=each.name,
                    kind=each.kind,
                    step=step.step,
                    outcome=StepOutcome.DONE,
                    seconds=took,
                )
                forecaster.take(event)
    assert forecaster.forecast(1.0).median < 30
    assert max(forecaster.history.steps[Endpoint.COMPUTE_TRAY, StepName.CONFIGURE].quantiles) == 60, (
        "later runs will be busy too"
    )


def test_history_is_read_as_it_was_written() -> None:
    past = history(NAMES[0])
    assert History.read(past.text()) == past


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2}', '{"schema": 1, "steps": {"dpu/fly": {}}}'])
def test_a_history_that_cannot_be_read_is_none(text: str) -> None:
    assert History.read(text) is None


def test_history_of_another_compression_teaches_nothing() -> None:
    past = history(NAMES[0])
    assert not past.spreads(1.0)
    assert Forecaster(plan(), tempo=Tempo(), history=past).forecast(0.0).low > 600, "hardware is not so fast"


def test_a_resumed_run_that_sees_little_does_not_overwrite_what_a_whole_one_taught() -> None:
    whole = history(NAMES[0])
    little = Forecaster(plan(), tempo=TEMPO)
    for event in record(NAMES[0])[-20:]:
        little.take(event)
    assert whole.merged(little.history).steps == whole.steps
