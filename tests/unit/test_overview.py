"""What an operator reads of a region's past."""

from __future__ import annotations

from components.engine.action import Record
from stacks.cli.overview import in_words


def record(outcome: str | None, outcome_at: float | None) -> Record:
    return Record(
        run=1,
        scope="substrate",
        pid=7,
        target="lab-r01-t02",
        kind="deploy",
        digest="0" * 64,
        destructive=True,
        intent_at=1_700_000_000.0,
        outcome_at=outcome_at,
        outcome=outcome,
        detail=None,
    )


def test_an_action_is_told_with_its_time_its_device_and_its_end() -> None:
    text = in_words(record("done", 1_700_000_035.0))
    assert text.startswith("2023-11-1")
    assert text.endswith("substrate  deploy lab-r01-t02: done in 35 s")


def test_an_action_of_a_killed_run_is_told_as_open() -> None:
    assert in_words(record(None, None)).endswith("no outcome recorded: the next run finds it out")
