"""Runs a fleet until it is told to end, and leaves its ledger behind."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import signal
import sys
import time
from asyncio.sslproto import SSLProtocol
from pathlib import Path

from lab.fleet import description, scenario
from lab.fleet.errors import FleetError
from lab.fleet.fleet import Fleet
from lab.fleet.pki import Authority
from lab.fleet.server import Server

_TLS_BUFFER = 16 << 10
"""One TLS record. asyncio's own 256 KiB for each connection would be most of the memory of a fleet that is asked."""


async def serve(
    described: Path, behaviour: Path | None, *, state: Path | None, tls: Path | None, ledger: Path | None, control: int
) -> None:
    """Serve until SIGTERM or SIGINT."""
    began = time.monotonic()
    fleet = Fleet(description.load(described), scenario.load(behaviour), state)
    if not fleet.endpoints:
        raise FleetError(f"{described} has no endpoint", remedy="python -m lab.fleet describe --racks 1")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    SSLProtocol.max_size = _TLS_BUFFER
    server = Server(fleet, Authority(tls) if tls else None)
    port = await server.start(control)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    gc.collect()
    gc.freeze()  # the description lives as long as the process: not to be looked through again and again
    ready = {
        "endpoints": len(fleet.endpoints),
        "control": f"http://127.0.0.1:{port}",
        "scheme": "https" if tls else "http",
        "seconds": round(time.monotonic() - began, 3),
    }
    print(json.dumps(ready), flush=True)
    try:
        await ended.wait()
    finally:
        await server.stop()
        if ledger is not None:
            _write_ledger(fleet, ledger)
        fleet.close()


def _write_ledger(fleet: Fleet, path: Path) -> None:
    found = {"totals": fleet.totals(), "endpoints": fleet.ledger(), "entries": [e._asdict() for e in fleet.entries()]}
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(found, indent=1) + "\n")
    draft.replace(path)
    print(f"the ledger is in {path}", file=sys.stderr)
