"""`region up REGION --fleet sim:SCENARIO.yaml`: the bring-up of a region's racks on a simulated fleet.

Owns the simulator as a process (started here, or found running from a run that was killed), the place where all of it
is kept, and the end: summary, ledger, exit code. The bring-up itself is `stacks/bring_up.py`; nothing of a simulated
run gets into the region's own journal or ledger.
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

from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.engine.bring_up.event import StepEvent
from components.engine.bring_up.result import RackEnd, Result
from components.engine.forecast import Forecaster
from components.engine.forecast_history import History
from components.engine.lock import RunLock
from components.spec import load
from components.spec.region import Region
from stacks.bring_up import BringUpFiles, carry_out, prepare
from stacks.cli import output
from stacks.cli.arguments import scenario_of
from stacks.cli.bring_up_ended import note_end
from stacks.cli.bring_up_screen import Screen, result_data, summary
from stacks.cli.bring_up_tally import Tally
from stacks.cli.simulator import Simulator
from stacks.project import CATALOGUE, region_folder, simulated_folder

ISOLATED = 4
"""Exit code where the run went through and some racks are isolated."""
FORECAST_S = 5.0
_LOCK_S = 10.0


def up_on_fleet(region: str, fleet: str, racks: int | None, as_json: bool) -> None:
    """Run it to its end. Ends the command with 4 where racks are isolated."""
    scenario = scenario_of(fleet)
    folder = simulated_folder(region, scenario)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    spec = load(region_folder(region), CATALOGUE, references=folder)  # received lists are of the real machines
    lock = RunLock.acquire(folder / "run.lock", wait_s=_LOCK_S)
    try:
        with _terminated_as_interrupted(), Simulator(folder, scenario, spec) as simulator:
            result = asyncio.run(_cancelled_by_sigterm(_run(spec, simulator, racks, as_json)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        output.people.print("interrupted; the simulator is stopped. Run the same command again to go on")
        raise KeyboardInterrupt from None
    finally:
        lock.release()
    if result.by_end()[RackEnd.ISOLATED]:
        raise typer.Exit(ISOLATED)


async def _run(spec: Region, simulator: Simulator, racks: int | None, as_json: bool) -> Result:
    folder = simulator.folder
    files = BringUpFiles(
        journal=folder / "journal.db",
        supplier=simulator.supplier,
        passwords=folder / "passwords",
        firmware=simulator.firmware,
        nodes=folder / "nodes",
        ca=simulator.ca,
    )
    prepared = prepare(spec, files=files, compression=simulator.compression, racks=simulator.racks[:racks])
    past = _past(folder / "history.json")
    forecaster = Forecaster(prepared.plan, tempo=prepared.tempo, history=past)
    tally = Tally(prepared.plan)
    title = f"region up {spec.region} on a simulated fleet: {tally.racks} racks, {tally.endpoints:,} endpoints"
    async with Ledger.open(spec.region, LedgerFolder(folder / "ledger"), None) as ledger:
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
        output.machine("result", **result_data(result, tally, ledger.head, ledger.added))
    else:
        for part in summary(result, tally, ledger.head, ledger.added):
            output.people.print(part, highlight=False, soft_wrap=isinstance(part, Text))
        needs = "the layers above (substrate, cluster, runtime) need machines that boot: a simulated fleet has none"
        output.people.print(needs, highlight=False, soft_wrap=True)
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
