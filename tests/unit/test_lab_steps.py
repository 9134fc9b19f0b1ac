"""Steps of the lab: order, failures, and choosing a part."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from lab.errors import LabError
from lab.steps import Outcome, Step, perform, with_needs


class Silent:
    """Watches and says nothing."""

    def started(self, step: Step) -> None: ...
    def note(self, step: str, text: str) -> None: ...
    def ended(self, outcome: Outcome, done: int, total: int) -> None: ...


def step(name: str, act: Callable[[], bool] = lambda: True, needs: tuple[str, ...] = ()) -> Step:
    return Step(name=name, title=name, act=act, needs=needs)


def test_a_step_runs_after_what_it_needs() -> None:
    ran: list[str] = []

    def note(name: str) -> Callable[[], bool]:
        return lambda: ran.append(name) is None

    perform([step("c", note("c"), ("b",)), step("b", note("b"), ("a",)), step("a", note("a"))], Silent())
    assert ran == ["a", "b", "c"]


def test_steps_that_do_not_need_each_other_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=5)

    def meet() -> bool:
        together.wait()
        return True

    assert all(o.error is None for o in perform([step("a", meet), step("b", meet)], Silent()))


def test_after_a_failure_only_what_needs_it_is_left_out() -> None:
    def fail() -> bool:
        raise LabError("no")

    outcomes = perform([step("a", fail), step("b", needs=("a",)), step("c")], Silent())
    assert {o.step.name: o.error is None for o in outcomes} == {"a": False, "c": True}


def test_a_step_says_whether_it_did_anything() -> None:
    outcomes = perform([step("a"), step("b", lambda: False)], Silent())
    assert {o.step.name: o.changed for o in outcomes} == {"a": True, "b": False}


def test_a_need_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="nothing"):
        perform([step("a", needs=("nothing",))], Silent())


def test_a_part_is_chosen_with_all_that_it_needs() -> None:
    steps = [step("a"), step("b", needs=("a",)), step("switch:x", needs=("b",)), step("other")]
    assert [s.name for s in with_needs(steps, ["switch"])] == ["a", "b", "switch:x"]


def test_a_part_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(LabError, match="allowed: a"):
        with_needs([step("a")], ["z"])
