"""What the simulated fleet costs: start, memory of an endpoint, requests of one core.

    python -m benchmarks.fleet [--racks 250] [--connections 64] [--requests 40]

The server's processor time is read from /proc, so figures hold on a machine that does other work too. Latencies are
set to nothing: what is measured is the simulator, not the scenario.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.fleet import description
from lab.fleet.describe import describe
from lab.fleet.description import Description, Entry
from lab.fleet.hardware import HARDWARE

PORT = 18490
_NO_LATENCY = {"latency_s": {"p50": 1e-6, "p99": 1e-6}}
_WAIT_S = 3.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A simulator that serves."""

    pid: int
    ready_s: float
    """From the start of the program to its line that it is ready."""

    @property
    def rss_kib(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    @property
    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def running(directory: Path, *options: str) -> Generator[Running]:
    """A simulator of the directory's description and scenario."""
    words = [sys.executable, "-m", "lab.fleet", "serve", "--description", str(directory / "fleet.json")]
    words += ["--scenario", str(directory / "scenario.yaml"), *options]
    began = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "the simulator did not start"
            yield Running(process.pid, time.monotonic() - began)
        finally:
            process.terminate()


class Asker(asyncio.Protocol):
    """Sends one request after another over one connection."""

    def __init__(self, entry: Entry, path: str, count: int) -> None:
        secret = base64.b64encode(f"{entry.bmc_username}:{entry.bmc_password}".encode()).decode()
        self._request = f"GET {path} HTTP/1.1\r\nHost: bmc\r\nAuthorization: Basic {secret}\r\n\r\n".encode()
        self._left = count
        self._length = 0
        self._got = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._length and b"\r\n\r\n" in self._got:
            head = self._got.partition(b"\r\n\r\n")[0]
            assert head.startswith(b"HTTP/1.1 200"), head
            at = head.lower().index(b"content-length: ") + 16
            self._length = len(head) + 4 + int(head[at:].partition(b"\r\n")[0])
        if self._length and len(self._got) >= self._length:
            self._got, self._length, self._left = b"", 0, self._left - 1
            if self._left:
                self._transport.write(self._request)
            else:
                self._transport.close()
                self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed"))


async def ask(entries: list[Entry], count: int, connections: int, tls: ssl.SSLContext | None) -> None:
    """`count` requests to each endpoint over a connection of its own, `connections` at a time."""
    gate = asyncio.Semaphore(connections)
    loop = asyncio.get_running_loop()

    async def one(entry: Entry) -> None:
        async with gate:
            path = f"/redfish/v1/Systems/{HARDWARE[entry.kind].computer.id}"
            address = str(entry.bmc_address)
            make = lambda: Asker(entry, path, count)  # noqa: E731
            _, asker = await loop.create_connection(
                make, address, entry.bmc_port, ssl=tls, server_hostname=address if tls else None
            )
            await asker.done

    await asyncio.gather(*(one(entry) for entry in entries))


def open_connection_kib(directory: Path, every: list[Entry]) -> float:
    """Memory of a connection on which a request waits, over TLS."""
    scenario = json.loads((directory / "scenario.yaml").read_text())
    scenario["kinds"] = {kind: {"latency_s": {"p50": _WAIT_S, "p99": _WAIT_S}} for kind in HARDWARE}
    (directory / "scenario.yaml").write_text(json.dumps(scenario))
    tls_directory = directory / "tls"
    with running(directory, "--tls", str(tls_directory)) as server:
        tls = ssl.create_default_context(cafile=str(tls_directory / "ca.crt"))
        before = server.rss_kib

        async def peak() -> int:
            asked, most = asyncio.create_task(ask(every, 1, len(every), tls)), 0
            while not asked.done():
                most = max(most, server.rss_kib)
                await asyncio.sleep(0.1)
            await asked
            return most

        return (asyncio.run(peak()) - before) / len(every)


def measure(server: Running, entries: list[Entry], count: int, connections: int, tls: ssl.SSLContext | None) -> str:
    """Requests a second of the clock, and of the server's processor time."""
    cpu, began = server.cpu_s, time.monotonic()
    asyncio.run(ask(entries, count, connections, tls))
    wall, used = time.monotonic() - began, server.cpu_s - cpu
    total = count * len(entries)
    return f"{total:7d} requests  {total / wall:7.0f}/s of the clock  {total / used:7.0f}/s of one core"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racks", type=int, default=250)
    parser.add_argument("--connections", type=int, default=64, help="open at a time")
    parser.add_argument("--requests", type=int, default=40, help="over each kept connection")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        there: Description = describe(options.racks, port=PORT)
        (directory / "fleet.json").write_text(description.dump(there))
        kinds = dict.fromkeys(HARDWARE, _NO_LATENCY)
        (directory / "scenario.yaml").write_text(json.dumps({"kinds": kinds, "factory_password_must_change": False}))
        every = [entry for of in there.values() for entry in of.values()]
        few = every[:: max(1, len(every) // 200)]
        print(f"{len(every)} endpoints, {options.connections} connections at a time, load {os.getloadavg()[0]:.0f}")
        with running(directory) as server:
            idle = server.rss_kib
            print(f"ready after        {server.ready_s:6.2f} s, {server.cpu_s:.2f} s of processor time")
            print(f"memory, untouched  {idle / len(every):6.2f} KiB an endpoint, {idle >> 10} MiB in all")
            print(f"http, kept         {measure(server, few, options.requests, options.connections, None)}")
            print(f"http, new each     {measure(server, every, 1, options.connections, None)}")
            print(
                f"memory, all asked  {server.rss_kib / len(every):6.2f} KiB an endpoint, {server.rss_kib >> 10} MiB in all"
            )
        with running(directory, "--tls", str(directory / "tls"), "--state", str(directory / "state")) as server:
            tls = ssl.create_default_context(cafile=str(directory / "tls" / "ca.crt"))
            print(f"https, kept        {measure(server, few, options.requests, options.connections, tls)}")
            print(f"https, new each    {measure(server, every[::4], 1, options.connections, tls)}")
            print(
                f"memory, https      {server.rss_kib / len(every):6.2f} KiB an endpoint, {server.rss_kib >> 10} MiB in all"
            )
        print(
            f"memory, open       {open_connection_kib(directory, every[:600]):6.1f} KiB more for a TLS connection that waits"
        )


if __name__ == "__main__":
    main()
