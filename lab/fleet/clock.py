"""The fleet's clock: simulated seconds since its first start, faster than the wall's by the compression.

It goes on while the simulator is down, as machines do. Within a process it is monotonic, so that a clock set
back on the host does not undo what machines did.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
"""What the machines' calendars say at second 0: the same in every run."""


class Clock:
    """Tells simulated time."""

    def __init__(self, compression: float, *, origin: float | None = None) -> None:
        self.origin = time.time() if origin is None else origin
        """The wall clock at second 0, which a restarted fleet goes on from."""
        self.compression = compression
        self._ahead = max(0.0, time.time() - self.origin) * compression
        self._start = time.monotonic()

    def now(self) -> float:
        return self._ahead + (time.monotonic() - self._start) * self.compression


def calendar(at: float) -> str:
    """A simulated second as Redfish writes a time."""
    return (_BEGAN + timedelta(seconds=int(at))).isoformat().replace("+00:00", "Z")
