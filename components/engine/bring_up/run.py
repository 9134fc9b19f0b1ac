"""Brings racks up, all side by side; what holds them back is pace and budgets, never each other."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Generator
from contextlib import contextmanager

from components.engine.bring_up.event import Observer
from components.engine.bring_up.rack import RackRun
from components.engine.bring_up.result import RackResult, Result
from components.engine.bring_up.services import Services

COLLECT_AFTER = 100_000
"""Objects that were made and not yet given up, after which the collector looks for circles among them."""


@contextmanager
def collected_rarely() -> Generator[None]:
    """Thousands of requests under way make Python's collector look through everything again and again.

    At its default, 700 objects, it went through all tasks of 17,750 endpoints every four seconds and stood still for
    0.8 to 1 s each time: a fifth of the run, and each pause looked to the window as if BMCs had become slow.
    """
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def bring_up(services: Services, *, observe: Observer) -> Result:
    """The racks of the plan, to their ends. Failures of devices are in the result.

    Raises RegionError where the run itself cannot go on, such as on a full disk: then nothing more is begun, and what
    is under way on devices is found by the next run.
    """
    began = time.monotonic()
    racks = services.plan.racks
    tasks: list[asyncio.Task[RackResult]] = []
    try:
        with collected_rarely():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(RackRun(rack, services, observe).run(), name=rack.name) for rack in racks]
    except* Exception as errors:
        raise _first(errors) from errors
    return Result(
        racks=tuple(task.result() for task in tasks),
        endpoints=sum(len(rack.endpoints) for rack in racks),
        seconds=time.monotonic() - began,
    )


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    """The failure that ended the run; the others are its consequences."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error  # pyright: ignore[reportUnknownArgumentType]
