"""Runs the project's commands as an operator would, and finds and kills the provider below them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{ROOT}/.venv/bin:{ROOT}/.tools/bin:{os.environ['PATH']}",
    "KUBECONFIG": str(ROOT / ".region" / "lab" / "kubeconfig"),
    "NO_COLOR": "1",
}


class CommandFailed(AssertionError):
    """A command did not end as expected; carries what it said."""


def run(*command: str, timeout_s: float = 900, expect: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command in the project; its output is shown by pytest when the test fails."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    print(
        f"$ {' '.join(command)}  -> {done.returncode} in {time.monotonic() - began:.1f} s\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    )
    if done.returncode not in expect:
        raise CommandFailed(
            f"{' '.join(command)} ended with {done.returncode}, not {' or '.join(map(str, expect))}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
    return done


def start(*command: str) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, output to a log."""
    log = ROOT / ".region" / "logs"
    log.mkdir(parents=True, exist_ok=True)
    with (log / "e2e.log").open("ab") as out:
        return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stdout=out, stderr=out, start_new_session=True)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """(pid, command line) of every process below `pid`."""
    for folder in Path("/proc").glob("[0-9]*"):
        child = int(folder.name)
        above = child
        while above not in (0, 1, pid):
            above = _parent(above)
        if above == pid and child != pid:
            try:
                yield child, (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


def kill_providers(pid: int) -> int:
    """SIGKILL every provider below `pid`; returns how many."""
    killed = 0
    for child, command in list(descendants(pid)):
        if "pulumi-resource-gpuregion" in command:
            try:
                os.kill(child, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
    return killed


def wait_for_provider(process: subprocess.Popen[bytes], timeout_s: float = 60) -> None:
    """Wait until a provider runs below the command, or the command has ended."""
    deadline = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < deadline:
        if any("pulumi-resource-gpuregion" in command for _, command in descendants(process.pid)):
            return
        time.sleep(0.1)
