"""A long-lived server of the lab: its files, its program, and how one knows that it serves.

A server runs with exactly the configuration that it would be given now: if any of it has changed,
or the server has died, it is started again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from lab import processes, shell
from lab.errors import LabError
from lab.home import RUN, Home, write_atomically

_RUNNING_WITH = RUN / "services"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One server."""

    name: str
    title: str
    argv: tuple[str | Path, ...]
    ready: Callable[[], bool]
    """Asks the server something that only a working one can answer; False or OSError: not yet."""
    listens: tuple[tuple[IPv4Address, int], ...] = ()
    """TCP addresses that are its alone: whoever answers there before its start is a stranger."""
    files: Mapping[Path, str] = field(default_factory=dict[Path, str])
    """Configuration files and their contents."""
    directories: tuple[Path, ...] = ()
    """Made before the start."""
    stale: tuple[Path, ...] = ()
    """Removed before the start: what a killed predecessor left."""
    depends_on: tuple[Path, ...] = ()
    """Files made by others, such as certificates, whose change asks for a new start."""
    env: Mapping[str, str] | None = None
    """Environment; nothing of the caller's is inherited."""
    timeout_s: float = 20


def ensure(service: Service, home: Home) -> bool:
    """Make the server run with its present configuration; whether anything had to be done."""
    record = _RUNNING_WITH / service.name
    digest = _digest(service)
    if processes.pid_of(service.name) and record.exists() and record.read_text() == digest and _answers(service):
        return False
    processes.stop(service.name)
    for directory in service.directories:
        directory.mkdir(parents=True, exist_ok=True)
    for path, text in service.files.items():
        write_atomically(path, text)
    for path in service.stale:
        path.unlink(missing_ok=True)
    if taken := [f"{address}:{port}" for address, port in service.listens if _is_taken(address, port)]:
        raise LabError(
            f"{service.title} cannot be started: another program answers at its address",
            found=", ".join(taken),
            remedy="`ss -lntup` names it: end it, or choose another network in network.yaml",
        )
    log = home.logs / f"{service.name}.log"
    write_atomically(record, digest)
    processes.start(service.name, service.argv, log=log, env=service.env or {})
    _wait_until_it_serves(service, log)
    return True


def accepts(address: IPv4Address, port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.create_connection((str(address), port), timeout=2):
        return True


def _wait_until_it_serves(service: Service, log: Path) -> None:
    end = time.monotonic() + service.timeout_s
    while not _answers(service):
        shell.refuse_if_stopping()
        died = processes.pid_of(service.name) is None
        if died or time.monotonic() > end:
            raise LabError(
                f"{service.title} {'ended' if died else f'does not answer after {service.timeout_s:.0f} s'}",
                found=processes.tail(log),
                remedy=f"read {log}; if an address is in use, `ss -lntup` names the program",
            )
        time.sleep(0.05)


def _is_taken(address: IPv4Address, port: int) -> bool:
    with contextlib.suppress(OSError):
        return accepts(address, port)
    return False


def _answers(service: Service) -> bool:
    with contextlib.suppress(OSError):
        return service.ready()
    return False


def _digest(service: Service) -> str:
    content = {
        "argv": [str(w) for w in service.argv],
        "files": {str(p): text for p, text in service.files.items()},
        "depends_on": {str(p): p.read_text(errors="replace") for p in service.depends_on},
        "env": dict(service.env or {}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
