"""The lab's record of what physically happened to machines: one JSON line for each action.

Tests count in it what a run did twice or should not have done; nothing else reads it.
"""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

from lab.home import Home


def path(home: Home) -> Path:
    """Where the record is."""
    return home.logs / "physical.jsonl"


def record(file: Path, machine: str, action: str, **details: str) -> None:
    """Add a line: `power_on`, `power_off`, `boot`, `media_insert`, `media_eject`, `seed`.

    One write to a file opened for appending, so lines of several processes do not mix.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"time": now, "machine": machine, "action": action, **details}) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
