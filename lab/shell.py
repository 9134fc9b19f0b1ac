"""Runs other programs and waits for them.

Every program that is still running is known here, so that an interrupt can end those which did
not get the terminal's own signal. Long-lived services are not started here (see `processes`).
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import LabError

_running: set[subprocess.Popen[str]] = set()
_guard = threading.Lock()
_stopping = threading.Event()


class CommandError(LabError):
    """A program ended with an error."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        self.code = code
        self.output = output
        super().__init__(f"{shlex.join(argv)} ended with code {code}", found=output.strip()[-800:] or "no output")


class Interrupted(LabError):
    """The operator stopped the run; what was begun is finished by the next `up` or removed by `down`."""

    exit_code = 130


def run(
    *argv: str | Path,
    stdin: str | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    timeout_s: float | None = None,
) -> str:
    """Output of a program. With `log` the output goes to that file instead and the result is empty."""
    words = [str(word) for word in argv]
    refuse_if_stopping()
    sink = log.open("ab") if log else None
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=sink or subprocess.PIPE,
            stderr=sink or subprocess.PIPE,
            text=True,
            env=env,
        )
    except FileNotFoundError:
        raise LabError(
            f"the program {words[0]} is not installed",
            remedy="install what `python -m lab packages` lists",
        ) from None
    finally:
        if sink:
            sink.close()
    with _guard:
        _running.add(child)
    try:
        out, err = child.communicate(stdin, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise CommandError(words, -9, f"no end within {timeout_s} s") from None
    finally:
        with _guard:
            _running.discard(child)
    if _stopping.is_set() and child.returncode:
        raise Interrupted("stopped " + words[0])
    if check and child.returncode:
        raise CommandError(words, child.returncode, (err or "") or (out or "") or _tail(log))
    return out or ""


def succeeds(*argv: str | Path) -> bool:
    """Whether a program ends without an error."""
    try:
        run(*argv)
    except CommandError:
        return False
    return True


def refuse_if_stopping() -> None:
    """For loops that wait without a program: end them when the operator has interrupted."""
    if _stopping.is_set():
        raise Interrupted("stopped by the operator")


def stop_all() -> None:
    """End what `run` still waits for, and start nothing more."""
    _stopping.set()
    with _guard:
        for child in _running:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()


def program(name: str, *directories: Path) -> Path:
    """Where a program is: in `directories` first, then on PATH."""
    for directory in directories:
        candidate = directory / name
        if candidate.exists():
            return candidate
    found = shutil.which(name)
    if found is None:
        raise LabError(
            f"the program {name} is missing",
            found=f"neither in {', '.join(str(d) for d in directories) or 'a tools directory'} nor on PATH",
            remedy="run `python -m lab.toolchain` (or `make up`), which builds it",
        )
    return Path(found)


def _tail(log: Path | None) -> str:
    return log.read_text(errors="replace")[-800:] if log and log.exists() else ""
