"""`region up REGION --fleet`: the bring-up of a region's racks, on a simulated fleet or on what was delivered.

Owns one run from the question to the exit code: preview, progress, forecast, ledger, summary. Where it acts is
`fleet_ground.py`; the bring-up itself is `stacks/bring_up.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from components.engine.bring_up.event import StepEvent
from components.engine.bring_up.result import RackEnd, Result
from components.engine.forecast import Forecaster
from components.engine.forecast_history import History
from stacks.bring_up import Prepared, carry_out, prepare
from stacks.cli import output
from stacks.cli.arguments import DeliveredFleet, fleet_of
from stacks.cli.bring_up_ended import note_end
from stacks.cli.bring_up_preview import foretold
from stacks.cli.bring_up_screen import Screen, result_data, summary
from stacks.cli.bring_up_tally import Tally
from stacks.cli.confirm import confirm
from stacks.cli.fleet_ground import Ground, delivered, simulated

ISOLATED = 4
"""Exit code where the run went through and some racks are isolated."""
FORECAST_S = 5.0


def up_on_fleet(region: str, fleet: str, racks: int | None, *, yes: bool, as_json: bool) -> None:
    """Run it to its end; real machines are touched after a confirmation only, which `yes` is. Ends the command with 4
    where racks are isolated."""
    chosen = fleet_of(fleet)
    ground_of = (
        delivered(region, chosen.folder) if isinstance(chosen, DeliveredFleet) else simulated(region, chosen.scenario)
    )
    try:
        with _terminated_as_interrupted(), ground_of as ground:
            prepared = prepare(ground.region, files=ground.files, compression=ground.compression, first=racks)
            if ground.is_real:
                _ask(prepared, yes=yes)
            result = asyncio.run(_cancelled_by_sigterm(_run(ground, prepared, as_json)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise KeyboardInterrupt from None
    if result.by_end()[RackEnd.ISOLATED]:
        raise typer.Exit(ISOLATED)


def _ask(prepared: Prepared, *, yes: bool) -> None:
    """Say what is ahead, and go on if the region's name comes back."""
    served = {rack.name for rack in prepared.plan.racks if (prepared.files.nodes / f"{rack.name}.json").is_file()}
    for line in foretold(prepared.plan, served):
        output.people.print(line, highlight=False, soft_wrap=True)
    if not yes:
        confirm(prepared.region)


async def _run(ground: Ground, prepared: Prepared, as_json: bool) -> Result:
    folder = ground.folder
    past = _past(folder / "history.json")
    forecaster = Forecaster(prepared.plan, tempo=prepared.tempo, history=past)
    tally = Tally(prepared.plan)
    title = f"region up {prepared.region} on {ground.machines}: {tally.racks} racks, {tally.endpoints:,} endpoints"
    async with ground.open_ledger() as ledger:
        with Screen(title, tally, as_json) as screen:

            def observe(event: StepEvent) -> None:
                forecaster.take(event)
                screen.take(event)

            watch = asyncio.create_task(_watch(screen, forecaster))
            try:
                result = await carry_out(prepared, observe=observe, ledger=ledger)
            finally:
                watch.cancel()
    note_end(folder, result, ledger.head)
    newer = forecaster.history
    (folder / "history.json").write_text((past.merged(newer) if past else newer).text())
    if as_json:
        output.machine("result", **result_data(result, tally, ledger.head, ledger.added, ledger.away))
    else:
        for part in summary(result, tally, ledger.head, ledger.added, ledger.away):
            output.people.print(part, highlight=False, soft_wrap=isinstance(part, Text))
        output.people.print(ground.afterwards, highlight=False, soft_wrap=True)
    return result


async def _cancelled_by_sigterm(run: Coroutine[Any, Any, Result]) -> Result:
    """SIGTERM cancels the run where it waits, as `asyncio.run` does on Ctrl-C: an exception out of a signal handler
    would come up in the middle of whatever the event loop is at."""
    task = asyncio.ensure_future(run)
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)


async def _watch(screen: Screen, forecaster: Forecaster) -> None:
    """Draw forecasts beside the run, never for more than a twentieth of its time."""
    due = 0.0
    while True:
        await asyncio.sleep(1)
        now = time.time()
        if now >= due:
            draw = forecaster.prepared(now)
            screen.forecast = await asyncio.to_thread(draw)
            due = time.time() + max(FORECAST_S, 20 * (time.time() - now))
        screen.tick()


def _past(path: Path) -> History | None:
    return History.read(path.read_text()) if path.is_file() else None


@contextlib.contextmanager
def _terminated_as_interrupted() -> Generator[None]:
    """SIGTERM ends the start and the end of the simulator as Ctrl-C does: it is stopped."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
