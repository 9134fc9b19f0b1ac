"""One line of progress for a tray: `lab-r01-t02: deployment, wait call-back (34 s)`."""

from __future__ import annotations

import time
from collections.abc import Callable

from components.clients.ironic_model import Node

REPEAT_S = 5.0
"""A line that only counts seconds comes no oftener; each is a message to the engine."""


class Progress:
    """What a tray is doing and for how long."""

    def __init__(self, tray: str, report: Callable[[str], None]) -> None:
        self._tray = tray
        self._report = report
        self._began = time.monotonic()
        self._shown: tuple[str, float] = ("", 0.0)
        self.doing = "looking"

    def begin(self, doing: str) -> None:
        """A new step."""
        self.doing = doing
        self._began = time.monotonic()
        self._report(f"{self._tray}: {doing}")

    def show(self, node: Node | None) -> None:
        """Ironic's state and the time since the step began, when there is news."""
        state = node.provision_state if node is not None else "absent"
        now = time.monotonic()
        before, at = self._shown
        if state != before or now - at >= REPEAT_S:
            self._shown = (state, now)
            self._report(f"{self._tray}: {self.doing}, {state} ({now - self._began:.0f} s)")
