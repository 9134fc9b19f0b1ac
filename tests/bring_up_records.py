"""Bring-ups as they were recorded: `region up essonne --fleet sim:SCENARIO --racks 3 --json` on simulated fleets.

A record is a table of step events, compressed: tests/fixtures/bring_up/NAME.csv.gz. Made from the output of such a run
by `python -m tests.bring_up_records NAME < run.jsonl`.
"""

from __future__ import annotations

import csv
import functools
import gzip
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.engine.bring_up.event import StepEvent, StepOutcome
from components.engine.bring_up.services import Tempo
from components.plan.bring_up.compile import Delivered, Plan, compile_bring_up
from components.spec import load
from components.spec.catalogue.firmware import Endpoint
from lab.fleet.describe import describe
from stacks.project import CATALOGUE, region_folder

FOLDER = Path(__file__).parent / "fixtures" / "bring_up"
NAMES = tuple(sorted(path.name.removesuffix(".csv.gz") for path in FOLDER.glob("*.csv.gz")))
TEMPO = Tempo(compression=120.0, allowance_s=20.0)
RACKS = 3
_COLUMNS = ("at", "rack", "endpoint", "kind", "step", "outcome", "seconds", "cause")


@functools.cache
def plan(racks: int = RACKS) -> Plan:
    """What the records are of: the first racks of Essonne."""
    made = describe(racks, series="ess-r")
    delivered = {
        rack: {
            place: Delivered(
                kind=Endpoint(each.kind),
                serial=each.serial,
                macs=each.macs,
                bmc_mac=each.bmc_mac,
                host=str(each.bmc_address),
                port=each.bmc_port,
                username=each.bmc_username,
            )
            for place, each in there.items()
        }
        for rack, there in made.items()
    }
    return compile_bring_up(load(region_folder("essonne"), CATALOGUE, references=FOLDER), delivered, list(made))


@functools.cache
def record(name: str) -> tuple[StepEvent, ...]:
    """The events of one run, in order."""
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return tuple(
            StepEvent(
                at=float(row["at"]),
                rack=row["rack"],
                endpoint=row["endpoint"],
                kind=row["kind"],
                step=row["step"],
                outcome=StepOutcome(row["outcome"]),
                seconds=float(row["seconds"]),
                cause=row["cause"],
            )
            for row in csv.DictReader(file)
        )


def write(name: str, lines: Iterable[str]) -> int:
    """Make a record of what a run printed; times count from 1,800,000,000."""
    events: list[dict[str, Any]] = [e for line in lines if (e := json.loads(line))["kind"] == "step"]
    began = events[0]["at"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{name}.csv.gz").open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        rows = [",".join(_COLUMNS)]
        for event in events:
            event |= {
                "kind": event["endpoint_kind"],
                "at": f"{1_800_000_000 + event['at'] - began:.3f}",
                "seconds": f"{event['seconds']:.3f}",
            }
            rows.append(",".join(str(event[column]) for column in _COLUMNS))
        packed.write("\n".join(rows).encode() + b"\n")
    return len(events)


if __name__ == "__main__":
    print(write(sys.argv[1], sys.stdin), "events")
