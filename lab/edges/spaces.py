"""Network namespaces under names that nobody else has, and threads that live in them.

A name holds the number of the process that made it: what a killed run left behind is told from what a living
one uses, and is removed at the next start.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lab import shell

NETNS = Path("/run/netns")
_PREFIX = "edges"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
Result = TypeVar("Result")


def name_of(point: str) -> str:
    """`edges4711-paris`."""
    return f"{_PREFIX}{os.getpid()}-{point}"


def create(names: Iterable[str]) -> None:
    """Namespaces with a loopback."""
    for name in names:
        shell.run("ip", "netns", "add", name)
        shell.run("ip", "-n", name, "link", "set", "lo", "up")


def remove(names: Iterable[str]) -> None:
    """Those that are there."""
    for name in names:
        if (NETNS / name).exists():
            shell.run("ip", "netns", "delete", name, check=False)


def leftovers() -> list[str]:
    """Namespaces of runs that have ended without removing theirs."""
    found: list[str] = []
    for path in sorted(NETNS.glob(f"{_PREFIX}[0-9]*-*")) if NETNS.is_dir() else ():
        number = path.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            found.append(path.name)
    return found


def enter(name: str) -> None:
    """Move the calling thread, and no other, into a namespace: sockets that it makes from now on are there."""
    with (NETNS / name).open("rb") as space:
        if _libc.setns(space.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {name}")


class Inside:
    """A thread that lives in a namespace and runs there what it is given."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, initializer=enter, initargs=(name,))

    def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Result of a function, called in the namespace."""
        return self._pool.submit(function, *arguments).result()

    def close(self) -> None:
        """End the thread."""
        with contextlib.suppress(RuntimeError):
            self._pool.shutdown(wait=True, cancel_futures=True)
