"""What a person sees while programs are built: what runs, how many of how many, elapsed."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from lab.toolchain.build import Result, State


class BuildProgress:
    """Shows a build on a terminal as bars, elsewhere as one line for each finished program."""

    def __init__(self, total: int, console: Console) -> None:
        self._total = total
        self._console = console
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._finished = 0
        self._running: dict[str, TaskID] = {}
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._bars.add_task("programs", total=total)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, name: str, result: Result | None) -> None:
        """Listens to a build (see build.Listener)."""
        with self._lock:
            if result is None:
                self._running[name] = self._bars.add_task(f"building {name}", total=None)
                if not self._console.is_terminal:
                    self._console.print(f"  building {name}")
                return
            self._finished += 1
            self._bars.advance(self._all)
            if (task := self._running.pop(name, None)) is not None:
                self._bars.remove_task(task)
            if result.state is State.BUILT:
                elapsed = time.monotonic() - self._start
                self._bars.console.print(
                    f"  [{self._finished} of {self._total}] built {name} {result.version}"
                    f" in {result.seconds:.0f} s, {_minutes(elapsed)} elapsed",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
