"""Tells a person, or a program, what is going on.

On a terminal one line shows what runs now; each finished step leaves a line. With `--json` every
event is a line of JSON on standard output and nothing else is. NO_COLOR is honoured (by rich).
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner

from lab.steps import Outcome, Step

_QUIET_S = 5


class Progress(Protocol):
    """Watches steps and says what came of them all."""

    def started(self, step: Step) -> None: ...
    def note(self, step: str, text: str) -> None: ...
    def ended(self, outcome: Outcome, done: int, total: int) -> None: ...
    def summary(self, text: str, **facts: Any) -> None: ...


class JsonProgress:
    """One JSON object a line; the keys are stable."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def started(self, step: Step) -> None:
        self._say(event="started", step=step.name)

    def note(self, step: str, text: str) -> None:
        self._say(event="note", step=step, text=text)

    def ended(self, outcome: Outcome, done: int, total: int) -> None:
        self._say(
            event="failed" if outcome.error else "done",
            step=outcome.step.name,
            seconds=round(outcome.seconds, 3),
            changed=outcome.changed,
            error=str(outcome.error) if outcome.error else None,
            done=done,
            total=total,
        )

    def summary(self, text: str, **facts: Any) -> None:
        self._say(event="summary", text=text, **facts)

    def _say(self, **event: Any) -> None:
        print(json.dumps({"elapsed_s": round(time.monotonic() - self._begin, 3), **event}), flush=True)


class TextProgress:
    """Lines for a person."""

    def __init__(self, live: Live | None, console: Console, words: tuple[str, str]) -> None:
        self._live = live
        self._changed, self._same = (word.ljust(max(map(len, words))) for word in words)
        self._console = console
        self._begin = time.monotonic()
        self._running: dict[str, str] = {}
        self._spoke = self._begin
        self._done = 0
        self._total = 0

    def started(self, step: Step) -> None:
        self._running[step.name] = step.title
        self._refresh()

    def note(self, step: str, text: str) -> None:
        if self._live is None:
            # A log wants to know what takes long, not each thing that is found in its place.
            now = time.monotonic()
            if now - self._spoke > _QUIET_S:
                self._spoke = now
                self._console.print(f"[dim]{escape(text)}[/]")
        else:
            self._running[step] = text
            self._refresh()

    def ended(self, outcome: Outcome, done: int, total: int) -> None:
        self._done, self._total = done, total
        self._running.pop(outcome.step.name, None)
        mark = f"[green]{self._changed}[/]" if outcome.changed else f"[dim]{self._same}[/]"
        if outcome.error:
            mark = "[red]failed[/]"
        count = f"{done:>{len(str(total))}}/{total}"
        self._console.print(f"{count}  {mark}  {escape(outcome.step.title)}  [dim]{outcome.seconds:.1f} s[/]")
        self._refresh()

    def summary(self, text: str, **facts: Any) -> None:
        del facts  # the text says them
        self._running.clear()
        self._refresh()
        self._console.print(f"{escape(text)} [dim]({time.monotonic() - self._begin:.1f} s)[/]")

    def _refresh(self) -> None:
        if self._live is None:
            return
        now = ", ".join(self._running.values())
        count = f"{self._done}/{self._total} done, " if self._total else ""
        elapsed = time.monotonic() - self._begin
        self._live.update(Spinner("dots", f"{count}{elapsed:.0f} s: {now}") if now else "")


@contextmanager
def progress(*, as_json: bool, words: tuple[str, str]) -> Generator[Progress]:
    """The way of telling that fits where the output goes; `words` for a step that did something, or nothing."""
    if as_json:
        yield JsonProgress()
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        yield TextProgress(None, console, words)
        return
    with Live(console=console, transient=True) as live:
        yield TextProgress(live, console, words)
