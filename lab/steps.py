"""Runs steps that depend on each other, those that do not at the same time.

Every step looks at what exists and does what is missing, so running all of them again is how an
interrupted run is resumed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from lab import shell
from lab.errors import LabError


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that must be there."""

    name: str
    title: str
    """What it is, for a person."""
    act: Callable[[], bool]
    """Makes it if it is missing; whether it was."""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a step ended."""

    step: Step
    seconds: float
    changed: bool = False
    error: BaseException | None = None


class Watcher(Protocol):
    """Is told what happens. Only `note` is called from the steps' own threads."""

    def started(self, step: Step) -> None: ...
    def note(self, step: str, text: str) -> None: ...
    def ended(self, outcome: Outcome, done: int, total: int) -> None: ...


def with_needs(steps: Sequence[Step], wanted: Sequence[str]) -> list[Step]:
    """The wanted steps and all that they need. `switch` stands for every `switch:...`."""
    chosen: set[str] = set()
    for want in wanted:
        found = {step.name for step in steps if want in (step.name, step.name.partition(":")[0])}
        if not found:
            raise LabError("there is no such part", found=want, allowed=", ".join(step.name for step in steps))
        chosen |= found
    needs = {step.name: set(step.needs) for step in steps}
    while more := {need for name in chosen for need in needs[name]} - chosen:
        chosen |= more
    return [step for step in steps if step.name in chosen]


def perform(steps: Sequence[Step], watcher: Watcher, *, at_once: int = 8) -> list[Outcome]:
    """Run all steps; after a failure those that need it are left out, the others go on."""
    waiting = {step.name: step for step in steps}
    unknown = {need for step in steps for need in step.needs} - set(waiting)
    if unknown:
        raise ValueError(f"steps need what is not there: {sorted(unknown)}")
    running: dict[Future[Outcome], Step] = {}
    good: set[str] = set()
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(at_once, thread_name_prefix="lab") as pool:
        try:
            while True:
                for step in [s for s in waiting.values() if set(s.needs) <= good]:
                    del waiting[step.name]
                    watcher.started(step)
                    running[pool.submit(_timed, step)] = step
                if not running:
                    return outcomes
                finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    step = running.pop(future)
                    outcome = future.result()
                    outcomes.append(outcome)
                    if outcome.error is None:
                        good.add(step.name)
                    watcher.ended(outcome, len(outcomes), len(steps))
        except KeyboardInterrupt:
            shell.stop_all()
            pool.shutdown(wait=False, cancel_futures=True)
            raise shell.Interrupted(
                "interrupted; what is made stays",
                remedy="`python -m lab up` goes on from here, `python -m lab down` removes all",
            ) from None


def _timed(step: Step) -> Outcome:
    begin = time.monotonic()
    threading.current_thread().name = f"lab-{step.name}"
    try:
        changed = step.act()
    except Exception as error:  # told at the end, with those of the other steps
        return Outcome(step=step, seconds=time.monotonic() - begin, error=error)
    return Outcome(step=step, seconds=time.monotonic() - begin, changed=changed)
