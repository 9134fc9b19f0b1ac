"""UDP flows between two network name spaces, and the times at which they were silent.

Run by the fabric benchmarks inside the hosts' name spaces: `flows.py echo ADDRESS`, `flows.py probe FROM TO SECONDS`.
The probe prints one JSON list of silences, `[flow, from, to]` by the machine's monotonic clock.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import time

PORT = 47000
FLOWS = 16
"""Of different source ports, so that they spread over all paths."""
EVERY_S = 0.01
COUNTS_FROM_S = 0.03
"""Shorter gaps are the sender's own."""


def _in_time() -> None:
    """A sender that waits for a processor would be taken for a silent network."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def echo(address: str) -> None:
    """Answer everything, until ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address, PORT))
        print("ready", flush=True)
        while True:
            data, peer = s.recvfrom(64)
            with contextlib.suppress(OSError):  # no route back for a moment is what is measured
                s.sendto(data, peer)


def probe(source: str, target: str, seconds: float) -> list[tuple[int, float, float]]:
    """Send on all flows every 10 ms; the silences of each."""
    flows = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(FLOWS)]
    for s in flows:
        s.bind((source, 0))
        s.setblocking(False)
    number = {s.fileno(): n for n, s in enumerate(flows)}
    end = time.monotonic() + seconds
    heard = [time.monotonic()] * FLOWS
    silences: list[tuple[int, float, float]] = []
    due = time.monotonic()
    while (now := time.monotonic()) < end:
        if now >= due:
            due = max(due + EVERY_S, now)
            for s in flows:
                with contextlib.suppress(OSError):
                    s.sendto(b"?", (target, PORT))
        for s in select.select(flows, [], [], max(0.0, due - time.monotonic()))[0]:
            with contextlib.suppress(OSError):
                s.recv(64)
                n, now = number[s.fileno()], time.monotonic()
                if now - heard[n] > COUNTS_FROM_S:
                    silences.append((n, heard[n], now))
                heard[n] = now
    return silences + [(n, at, end) for n, at in enumerate(heard) if end - at > COUNTS_FROM_S]


if __name__ == "__main__":
    _in_time()
    if sys.argv[1] == "echo":
        echo(sys.argv[2])
    else:
        print(json.dumps(probe(sys.argv[2], sys.argv[3], float(sys.argv[4]))))
