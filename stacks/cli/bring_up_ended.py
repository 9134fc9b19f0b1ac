"""How the bring-ups of a region ended, as `region status` shows it.

Owns the file in which a run that came to its end leaves what it ended with, beside its journal. Of a run that was cut
off the journal tells: it has acted since.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter
from rich.text import Text

from components.clients.whole_file import write_whole
from components.engine.acceptance_verdict import Anchor
from components.engine.bring_up.result import CauseGroup, RackEnd, Result
from components.engine.journal import Journal
from components.errors import Problem, SpecError
from stacks.cli.bring_up_screen import SHOWN
from stacks.project import bring_up_folder, state_folder

FILE = "ended.json"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a run ended with."""

    at: float
    """Seconds since 1970."""
    racks: Mapping[RackEnd, int]
    endpoints: int
    causes: tuple[CauseGroup, ...]
    """Isolated endpoints by cause, each with its runbook."""
    isolated: Mapping[str, str]
    """Isolated rack -> why, in words."""
    head: str | None
    """Of the acceptance ledger, as `region ledger verify --head` takes it."""


@dataclass(frozen=True, kw_only=True)
class BringUpStatus:
    """Where the bring-up of a region stands on one fleet."""

    fleet: str
    """Name of the simulated fleet's scenario; empty for the machines that were delivered."""
    ended: Ended | None
    """Of the last run that came to its end."""
    acted_at: float | None
    """When the last action was begun, in seconds since 1970."""

    @property
    def is_open(self) -> bool:
        """Whether a run has acted since the last end: it is under way, or was cut off."""
        return self.acted_at is not None and (self.ended is None or self.acted_at > self.ended.at)


_FORM: TypeAdapter[Ended] = TypeAdapter(Ended)


def note_end(folder: Path, result: Result, head: Anchor | None) -> None:
    """Keep what a run ended with, for its owner only."""
    isolated = {rack.rack: rack.reason for rack in result.racks if rack.end is RackEnd.ISOLATED}
    ended = Ended(
        at=time.time(),
        racks=result.by_end(),
        endpoints=result.endpoints,
        causes=result.by_cause(),
        isolated=isolated,
        head=str(head) if head else None,
    )
    write_whole(folder / FILE, _FORM.dump_json(ended, indent=1))


def bring_ups(region: str) -> tuple[BringUpStatus, ...]:
    """Of all fleets on which the region's racks were ever brought up from this machine. Raises SpecError."""
    own = bring_up_folder(region) / "journal.db"
    simulated = sorted((state_folder(region) / "simulated").glob("*/journal.db"))
    return (*([_status(own, "")] if own.is_file() else []), *(_status(each, each.parent.name) for each in simulated))


def in_words(status: BringUpStatus) -> Iterator[Text]:
    """The lines for people."""
    ended, of = status.ended, f"bring-up on {status.fleet}" if status.fleet else "bring-up"
    if ended is None:
        yield Text(f"{of}: no run has come to its end", "yellow")
    else:
        racks = ", ".join(f"{count} {end}" for end, count in ended.racks.items() if count)
        style = "bold red" if ended.racks.get(RackEnd.ISOLATED) else "green"
        yield Text(f"{of}: {racks}; {ended.endpoints:,} endpoints, ended {_when(ended.at)}", style)
        for rack, reason in list(ended.isolated.items())[:SHOWN]:
            yield Text(f"  {rack} is isolated: {reason}")
        for group in ended.causes:
            more = f" and {len(group.endpoints) - SHOWN} more" if len(group.endpoints) > SHOWN else ""
            yield Text(f"  {group.cause}: {', '.join(group.endpoints[:SHOWN])}{more}; see {group.runbook}")
        yield Text(f"  acceptance ledger: head {ended.head or 'none'}", "dim")
    if status.is_open and status.acted_at is not None:
        yield Text(
            f"  a run has acted since, last at {_when(status.acted_at)}: it is under way, or was cut off and goes on"
            " with the same command",
            "yellow",
        )


def _status(journal: Path, fleet: str) -> BringUpStatus:
    path = journal.with_name(FILE)
    newest = Journal.read_history(journal, limit=1)
    try:
        ended = _FORM.validate_json(path.read_bytes()) if path.is_file() else None
    except (OSError, ValueError) as error:
        problem = Problem(path=str(path), message="is not what a run leaves", remedy=f"rm {path}, and run it again")
        raise SpecError("the end of a bring-up cannot be read", [problem]) from error
    return BringUpStatus(fleet=fleet, ended=ended, acted_at=newest[0].intent_at if newest else None)


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}"
