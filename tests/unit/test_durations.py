"""How long things take: the table, what runs add to it, and how an estimate is put together."""

from __future__ import annotations

from components.engine.journal import Outcome, Record
from components.plan import RegionPlan
from components.plan.consequences import cost_table
from components.plan.consequences.words import duration_text
from stacks.cli.costs import measured
from tests.scenarios import change, costs


def row(target: str, kind: str, seconds: float, outcome: str | None = Outcome.DONE) -> Record:
    return Record(
        run=1,
        scope="lab.substrate",
        pid=1,
        target=target,
        kind=kind,
        digest="1",
        destructive=False,
        intent_at=100.0,
        outcome_at=None if outcome is None else 100.0 + seconds,
        outcome=outcome,
        detail=None,
    )


def test_runs_leave_the_median_of_what_was_seen_through(lab_plan: RegionPlan) -> None:
    history = [
        row("lab-r01-t01", "deploy", 30),
        row("lab-r01-t02", "deploy", 34),
        row("lab-r01-t03", "deploy", 300),
        row("lab-r01-t03", "deploy", 900, Outcome.FAILED),
        row("lab-r01-t04", "clean", 0.1, Outcome.OBSERVED),
        row("lab-r01-t04", "clean", 0.1, None),
        row("lab-leaf1", "configure", 4.26),
        row("lab-bootstrap", "run-playbook", 41),
    ]
    assert measured(history, lab_plan, costs()) == {
        "bench": {
            "configure": {"seconds": 4.3, "count": 1},
            "deploy": {"seconds": 34, "count": 3},
            "run-playbook": {"seconds": 41, "count": 1},
        }
    }


def test_a_measured_figure_replaces_that_of_the_table() -> None:
    data = {"default": "bench", "classes": {"bench": {"source": "a book", "seconds": {"deploy": 35, "clean": 25}}}}
    table = cost_table(data, {"bench": {"deploy": {"seconds": 31.5, "count": 3}}})
    assert (table.cost("deploy", "bench").seconds, table.cost("deploy", "bench").source) == (31.5, "measured, 3 times")
    assert table.cost("clean", "bench").source == "a book"
    assert table.cost("clean", "unknown class").seconds == 25, "of the default class"
    assert table.cost("undeploy", "bench").seconds > 0, "of the bench, as the last resort"


def test_layers_that_do_not_need_each_other_run_side_by_side(lab_plan: RegionPlan) -> None:
    found = change(None, lab_plan).duration
    seconds = {layer: sum(p.seconds for p in found.parts if p.layer == layer) for layer in ("fabric", "substrate")}
    later = sum(p.seconds for p in found.parts if p.layer in ("cluster", "runtime"))
    assert found.seconds == max(seconds.values()) + later


def test_times_are_told_as_people_tell_them() -> None:
    assert [duration_text(s) for s in (0, 119, 120, 3600, 7200, 12_060)] == [
        "0 s",
        "119 s",
        "2 min",
        "60 min",
        "2 h",
        "3 h 21 min",
    ]
