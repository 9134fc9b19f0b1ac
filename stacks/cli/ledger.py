"""`region ledger`: the acceptance ledger, verified, shown and exported.

Owns what an operator is told of it. `components/engine/acceptance*.py` say what a ledger is, `stacks/acceptance.py`
where it is kept.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from components.checks.judge import judged, skipped
from components.checks.result import CheckResult, Status, worst
from components.engine.acceptance import AcceptanceEvent, Entry, Line
from components.engine.acceptance_verdict import Anchor, Verdict, judge
from components.errors import Problem, SpecError
from stacks.cli import output, written
from stacks.cli.arguments import AsJson, Region, scenario_of
from stacks.project import load_hardware

app = typer.Typer(no_args_is_help=True, help="The acceptance ledger: what is known of each serial number.")

RUNBOOK = "docs/runbooks/LedgerDoesNotVerify.md"
_COLUMNS = ("number", "at", "serial", "device", "event", "requirement", "evidence", "digest", "previous", "before")
SHOWN = 20
"""Faults that are named one by one."""
Fleet = Annotated[
    str | None, typer.Option("--fleet", help="sim:SCENARIO.yaml: the ledger of runs on that simulated fleet.")
]


class Form(StrEnum):
    """How a ledger is exported."""

    JSON = "json"
    CSV = "csv"


@app.command()
def verify(
    region: Region,
    head: Annotated[
        str | None, typer.Option("--head", help="NUMBER:DIGEST that a run ended with: it must still be there.")
    ] = None,
    fleet: Fleet = None,
    as_json: AsJson = False,
) -> None:
    """Look at every byte, here and in the store: what was changed, removed, moved or cut off is named."""
    from components.clients.acceptance_store import StoreAwayError  # boto3 is slow to import
    from stacks.acceptance import ledger_folder, ledger_store

    seen = _anchor(head)
    folder = ledger_folder(region, _scenario(fleet))
    _, brought = folder.anchor()
    results = list(_judged("ledger.here", judge(folder.contents(), region, seen or brought)))
    if fleet:
        results.append(
            skipped(
                "ledger.store", expected="the store holds the same", remedy="a simulated ledger stays on this machine"
            )
        )
    else:
        try:
            store = ledger_store(load_hardware(region))
            objects = ((name, store.read(name)) for name in store.batches())
            results += _judged("ledger.store", judge(objects, region, seen or brought))
            touched = store.touched()
            results.append(
                judged(
                    "ledger.store.versions",
                    good=not touched,
                    expected="every object was written once and never deleted",
                    found=", ".join(touched) or "so it is",
                    remedy=f"see {RUNBOOK}",
                )
            )
        except StoreAwayError as error:
            results.append(
                judged(
                    "ledger.store",
                    good=False,
                    expected="the store answers",
                    found=error.reasons,
                    remedy=f"see {RUNBOOK}",
                )
            )
    output.show_checks(results, as_json)
    if worst(results) is Status.FAIL:
        raise typer.Exit(1)


@app.command()
def show(
    region: Region,
    serial: Annotated[str, typer.Argument(help="Serial number of a tray, DPU, switch tray or power shelf.")],
    fleet: Fleet = None,
    as_json: AsJson = False,
) -> None:
    """The way of one serial number, oldest entry first."""
    mine = [(entry, digest) for entry, digest in _entries(region, _scenario(fleet)) if entry.serial == serial]
    if not mine:
        raise SpecError(
            f"the ledger does not know {serial}",
            [
                Problem(
                    path="serial",
                    message="no entry has this serial number",
                    found=serial,
                    remedy=f"`region ledger export {region} --format csv` lists all of them",
                )
            ],
        )
    if as_json:
        for entry, digest in mine:
            output.machine("entry", **_plain(entry, digest))
        return
    table = Table(title=f"{serial}: {mine[-1][0].device}, {mine[-1][0].event}", title_justify="left")
    for column in ("entry", "when", "device", "event", "shows", "evidence"):
        table.add_column(column, overflow="fold")
    for entry, _ in mine:
        evidence = ", ".join(f"{key} {_short(value)}" for key, value in sorted(entry.evidence.items()))
        table.add_row(
            str(entry.number), _when(entry), entry.device, entry.event, entry.requirement or "", Text(evidence)
        )
    output.people.print(table)


@app.command()
def export(
    region: Region,
    form: Annotated[Form, typer.Option("--format", help="csv is one line an entry, for a spreadsheet.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option("--out", help="File to write instead of printing.")] = None,
    fleet: Fleet = None,
) -> None:
    """The whole ledger for other programs: as one JSON document, or as CSV."""
    written.refuse_unwritable(out, "--out")
    rows = (_plain(entry, digest) for entry, digest in _entries(region, _scenario(fleet)))
    text = _csv(rows) if form is Form.CSV else json.dumps(list(rows), indent=1, ensure_ascii=False) + "\n"
    if out is None:
        print(text, end="")
    else:
        written.write(out, text)
        output.people.print(f"{out}: {out.stat().st_size / 1000:,.0f} kB", highlight=False, soft_wrap=True)


@app.command()
def repaired(
    region: Region,
    serial: Annotated[str, typer.Argument(help="Serial number that hands were in.")],
    work: Annotated[str, typer.Option("--work", help="What was done, in a few words.")],
    as_json: AsJson = False,
) -> None:
    """Record a repair: what was recorded before has to be shown anew, and ends in a re-acceptance."""
    device = next((entry.device for entry, _ in reversed(list(_entries(region))) if entry.serial == serial), None)
    if device is None:
        raise SpecError(
            f"the ledger does not know {serial}",
            [Problem(path="serial", message="only what was racked can be repaired", found=serial)],
        )
    _written(region, as_json, AcceptanceEvent.REPAIRED, serial, device, work)


@app.command()
def upload(region: Region, as_json: AsJson = False) -> None:
    """Bring to the store what it missed. Harmless when nothing is missing."""
    _written(region, as_json)


def _written(
    region: str,
    as_json: bool,
    event: AcceptanceEvent | None = None,
    serial: str = "",
    device: str = "",
    work: str = "",
) -> None:
    from stacks.acceptance import open_ledger

    async def write() -> tuple[int, Anchor | None, str]:
        async with open_ledger(load_hardware(region)) as ledger:
            if event is not None:
                await ledger.record(serial=serial, event=event, device=device, evidence={"work": work})
        return ledger.added, ledger.head, ledger.away

    added, head, away = asyncio.run(write())
    if as_json:
        output.machine("ledger", added=added, head=str(head) if head else None, away=away)
    else:
        output.people.print(in_words(added, head, away), highlight=False, soft_wrap=True)
    if away:
        raise typer.Exit(3)


def in_words(added: int, head: Anchor | None, away: str) -> str:
    """What a run left in the ledger. The head is to be noted elsewhere: it proves later that no tail was cut off."""
    text = f"acceptance ledger: {added:,} new {'entry' if added == 1 else 'entries'}, head {head or 'none'}"
    return text + (f"\nnot all of it is in the store yet: {away}" if away else "")


def _scenario(fleet: str | None) -> Path | None:
    return scenario_of(fleet) if fleet else None


def _anchor(text: str | None) -> Anchor | None:
    try:
        return None if text is None else Anchor.read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--head") from error


def _judged(name: str, verdict: Verdict) -> Iterator[CheckResult]:
    counts = ", ".join(f"{verdict.events[event]:,} {event}" for event in AcceptanceEvent if verdict.events[event])
    found = f"{verdict.entries:,} entries of {len(verdict.serials):,} serial numbers" + (
        f": {counts}" if counts else ""
    )
    yield judged(
        name,
        good=not verdict.faults,
        expected="every entry is as it was written",
        found=f"{found}; head {verdict.head or 'none'}"
        if not verdict.faults
        else f"{len(verdict.faults)} faults; {found}",
        remedy=f"see {RUNBOOK}",
    )
    for fault in verdict.faults[:SHOWN]:
        place = f"{name}.{fault.object}" + (f".{fault.number}" if fault.number is not None else "")
        yield judged(place, good=False, expected="as it was written", found=str(fault), remedy=f"see {RUNBOOK}")


def _entries(region: str, scenario: Path | None = None) -> Iterator[tuple[Entry, str]]:
    """All entries with their digests. Raises SpecError for a ledger that is not whole."""
    from stacks.acceptance import contents

    for name, content in contents(load_hardware(region), scenario):
        for text in content.splitlines():
            try:
                line = Line.read(text)
                yield Entry.of(line.body), line.digest
            except ValueError as error:
                raise SpecError(
                    "the ledger is not whole",
                    [Problem(path=name, message=str(error), remedy=f"`region ledger verify {region}`; see {RUNBOOK}")],
                ) from error


def _plain(entry: Entry, digest: str) -> dict[str, Any]:
    return {**vars(entry), "digest": digest}


def _when(entry: Entry) -> str:
    return datetime.fromtimestamp(entry.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        at = datetime.fromtimestamp(row["at_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
        evidence = json.dumps(row["evidence"], sort_keys=True, ensure_ascii=False)
        writer.writerow([{**row, "at": at, "evidence": evidence}[column] for column in _COLUMNS])
    return text.getvalue()
