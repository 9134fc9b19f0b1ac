"""HTTP/1.1 on an asyncio transport: h11 reads and writes the protocol, subclasses answer.

A connection costs no task: bytes come in, a request is complete, a timer answers it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from abc import abstractmethod
from http import HTTPStatus
from typing import cast

import h11

from lab.fleet.answers import Answer
from lab.fleet.fleet import Request

MOST_BODY = 20 << 20
IDLE_S = 30.0
"""A connection without a request for so long is closed."""
_RESET = struct.pack("ii", 1, 0)
_NOBODY = (204, 304)
_REASONS = {int(s): s.phrase.encode() for s in HTTPStatus}


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = ("_body", "_head", "_http", "_is_working", "_open", "idle_since", "transport")

    def __init__(self, open_connections: set[Connection]) -> None:
        self._open = open_connections
        self._http = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._is_working = False
        self.transport = cast("asyncio.Transport", None)
        self.idle_since = 0.0

    @abstractmethod
    def work(self, request: Request) -> None:
        """Begin with a request; `send` or `reset` ends it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.idle_since = asyncio.get_running_loop().time()
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._advance()

    def eof_received(self) -> bool:
        # A client that has closed its side while it waits is gone: nothing to keep open for it.
        self._http.receive_data(b"")
        self._advance()
        return False

    @property
    def is_idle(self) -> bool:
        return not self._is_working

    def reset(self) -> None:
        """Break the connection, as a device does that loses power."""
        abort(self.transport)

    def send(self, answer: Answer) -> None:
        """Answer the current request."""
        self._is_working = False
        self.idle_since = asyncio.get_running_loop().time()
        if self.transport.is_closing():
            return
        headers = [("OData-Version", "4.0"), ("Cache-Control", "no-cache"), *answer.headers]
        if answer.status not in _NOBODY:
            headers += [("Content-Type", answer.type), ("Content-Length", str(len(answer.body)))]
        out = (
            self._http.send(
                h11.Response(status_code=answer.status, headers=headers, reason=_REASONS.get(answer.status, b""))
            )
            or b""
        )
        if answer.body and answer.status not in _NOBODY and not (self._head and self._head.method == b"HEAD"):
            out += self._http.send(h11.Data(data=answer.body)) or b""
        out += self._http.send(h11.EndOfMessage()) or b""
        self.transport.write(out)
        if self._http.our_state is h11.MUST_CLOSE:
            self.transport.close()
        elif self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._advance()

    def _advance(self) -> None:
        try:
            while not self._is_working and not self.transport.is_closing():
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    if self._http.they_are_waiting_for_100_continue:
                        go = h11.InformationalResponse(status_code=100, headers=[])
                        self.transport.write(self._http.send(go) or b"")
                    return
                if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    if event is not h11.PAUSED:
                        self.transport.close()
                    return
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._give_up(error.error_status_hint)

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._head, self._body = event, bytearray()
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > MOST_BODY:
                self._give_up(413)
        elif isinstance(event, h11.EndOfMessage) and self._head is not None:
            self._is_working = True
            headers = {name.decode(): value.decode("latin-1") for name, value in self._head.headers}
            method, target = self._head.method.decode(), self._head.target.decode("latin-1")
            self.work(Request(method, target, headers, bytes(self._body)))

    def _give_up(self, status: int) -> None:
        """Answer what is no HTTP, or too much of it, and close."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            closing = [("Connection", "close"), ("Content-Length", "0")]
            self.transport.write(self._http.send(h11.Response(status_code=status, headers=closing)) or b"")
        self.transport.close()


def abort(transport: asyncio.Transport) -> None:
    """Close with a TCP reset instead of an orderly end."""
    raw = cast("socket.socket | None", transport.get_extra_info("socket"))
    if raw is not None and not transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def reset_socket(accepted: socket.socket) -> None:
    """Close an accepted socket with a TCP reset."""
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    accepted.close()


def listen(address: str, port: int, *, device: str = "lo") -> socket.socket:
    """A listening socket that hears only what came over `device`: a wildcard address is open to the world else."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        listening.bind((address, port))
        listening.listen(65535)
    except OSError:
        listening.close()
        raise
    return listening
