"""Programs that run beside us: children that are known by their process, ended when we are done with them or die."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError

_PROJECT = Path(__file__).parents[2]
_PATIENCE_S = 60


def module(name: str) -> list[str]:
    """How a module of this package is run, with only what Python itself brings."""
    return [sys.executable, "-S", "-m", f"lab.edges.{name}"]


class Programs:
    """Those of one owner, by name; the output of each is kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def output(self, name: str) -> Path:
        """What a program says."""
        return self.folder / f"{name}.log"

    def start(self, name: str, words: Sequence[str | Path], *, has_commands: bool = False) -> None:
        """Start it, in a thread that outlives it: its end is the program's. One that has commands takes them from its
        standard input, until `end`."""
        with self.output(name).open("wb") as sink:
            self.adopt(
                name,
                subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", "--", *words],
                    stdin=subprocess.PIPE if has_commands else subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    cwd=_PROJECT,
                ),
            )

    def adopt(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """A program that somebody else has started, whose output is where `output` says."""
        self._running[name] = process

    def command(self, name: str, line: str) -> None:
        """Tell a program that has commands."""
        if sink := self._running[name].stdin:
            sink.write(f"{line}\n".encode())
            sink.flush()

    def wait_for(self, name: str, words: str) -> None:
        """Until it has said these words."""
        until, output = time.monotonic() + _PATIENCE_S, self.output(name)
        while words not in (text := output.read_text(errors="replace") if output.exists() else ""):
            if self._running[name].poll() is not None or time.monotonic() > until:
                raise LabError(f"{name} did not start", found=text.strip()[-800:] or "nothing was said")
            time.sleep(0.05)

    def end(self, name: str) -> None:
        """End it; again is no error."""
        child = self._running.pop(name, None)
        if child is None:
            return
        if child.stdin:
            child.stdin.close()
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def end_all(self) -> None:
        """All of them."""
        for name in list(self._running):
            self.end(name)
