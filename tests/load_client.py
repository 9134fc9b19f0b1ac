"""A plain HTTP client that repeats nothing by itself, and says what became of each request.

Libraries for HTTP repeat what a used connection dropped, which is right for programs and hides a loss from a test.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

REFUSED, DROPPED, TIMEOUT = "refused", "dropped", "timeout"
"""No connection was made, so nothing was sent; one was made and ended without an answer; the client gave up."""
REPEAT_S = 0.1
"""Pause before a client that may repeat a refused connection tries again."""
CONNECT_S = 2.0
"""How long a client waits for a connection: a host that is dead refuses none."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where requests go, and how a client of it behaves."""

    url: str
    """Plain HTTP with an address, such as `http://10.255.2.1/`."""
    host: str
    """Name that the service is called by."""
    timeout_s: float = 30
    """How long a client waits for its answer, repeats included."""
    keep_alive: bool = False
    """Whether connections are used again. If not, each request is a client of its own."""
    repeats_refused: bool = False
    """Whether a client tries again when no connection was made. Nothing was sent then, so any method may."""


class Client:
    """Asks by HTTP/1.1 on plain connections."""

    def __init__(self, target: Target) -> None:
        parts = urlsplit(target.url)
        self._target = target
        self._address, self._port = parts.hostname or "", parts.port or 80
        after = "keep-alive" if target.keep_alive else "close"
        path = parts.path or "/"
        self._request = f"GET {path} HTTP/1.1\r\nHost: {target.host}\r\nConnection: {after}\r\n\r\n".encode()
        self._idle: list[Connection] = []

    async def ask(self) -> tuple[str, int]:
        """The outcome of one request, and how often it was repeated."""
        repeats = 0
        try:
            async with asyncio.timeout(self._target.timeout_s):
                while (outcome := await self._try()) == REFUSED and self._target.repeats_refused:
                    repeats += 1
                    await asyncio.sleep(REPEAT_S)
        except TimeoutError:
            outcome = TIMEOUT
        return outcome, repeats

    def close(self) -> None:
        """End connections that are kept."""
        for _, writer in self._idle:
            writer.close()

    async def _try(self) -> str:
        try:
            reader, writer = await self._connection()
        except OSError:
            return REFUSED
        try:
            writer.write(self._request)
            status, is_open = await _read_answer(reader)
        except (OSError, EOFError, ValueError, asyncio.CancelledError) as error:
            writer.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            return DROPPED
        if is_open and self._target.keep_alive:
            self._idle.append((reader, writer))
        else:
            writer.close()
        return status

    async def _connection(self) -> Connection:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        try:
            async with asyncio.timeout(CONNECT_S):
                return await asyncio.open_connection(self._address, self._port)
        except TimeoutError as error:
            raise ConnectionRefusedError("nobody took the connection") from error


async def _read_answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    """Status of a whole answer, and whether the connection can be used again. EOFError, OSError if it ends before."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    if fields.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    elif "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
    else:
        await reader.read()
        return head.split()[1], False
    return head.split()[1], fields.get("connection") != "close"
