"""Serves a fleet: one wildcard socket on the loopback device for all endpoints.

An endpoint is told apart by the local address of the accepted connection, so 17,750 endpoints need one listening
socket and no address on any interface.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections import defaultdict

from lab.fleet.answers import Answer, error, unavailable
from lab.fleet.behaviour import Decision, Mishap
from lab.fleet.control import Control
from lab.fleet.endpoint import Endpoint, arrive
from lab.fleet.errors import NotServedError
from lab.fleet.fleet import Fleet, Request
from lab.fleet.http import IDLE_S, Connection, listen, reset_socket
from lab.fleet.pki import Authority

_SWEEP_S = 5.0
_HANDSHAKE_S = 20.0


class Bmc(Connection):
    """A connection to an endpoint."""

    __slots__ = ("_endpoint", "_fleet")

    def __init__(self, fleet: Fleet, endpoint: Endpoint, open_connections: set[Connection]) -> None:
        super().__init__(open_connections)
        self._fleet = fleet
        self._endpoint = endpoint

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    def work(self, request: Request) -> None:
        decision = self._fleet.arrive(self._endpoint)
        if decision.mishap is Mishap.REFUSED:
            self.reset()
            return
        if decision.mishap is Mishap.SILENCE:
            return
        loop = asyncio.get_running_loop()
        place = arrive(self._endpoint, loop.time(), decision.service_s)
        if place.is_refused:
            self.send(unavailable("The BMC is busy.", 1).answer)
        else:
            loop.call_later(place.wait_s, self._answer, request, decision)

    def _answer(self, request: Request, decision: Decision) -> None:
        """Do it now, also for a client that has gone: a BMC does not notice that either."""
        if not self._fleet.is_reachable(self._endpoint):
            self.reset()
        elif decision.mishap is Mishap.ERROR:
            self.send(error(decision.status))
        else:
            answer = self._done(request)
            if decision.mishap is Mishap.ANSWER_LOST:
                self.reset()
            else:
                self.send(answer)

    def _done(self, request: Request) -> Answer:
        try:
            return self._fleet.handle(self._endpoint, request)
        except Exception as failure:  # a fault of the simulator: to be seen, and not to hang a client
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{request.method} {request.target} at {self._endpoint.name}", "exception": failure}
            )
            return error(500)


class Server:
    """The sockets of a fleet."""

    def __init__(self, fleet: Fleet, authority: Authority | None) -> None:
        self._fleet = fleet
        self._authority = authority
        self._open: set[Connection] = set()
        self._greeting: set[asyncio.Task[None]] = set()
        self._listening: socket.socket | None = None
        self._running: list[asyncio.Task[None]] = []
        self._control: asyncio.Server | None = None
        self._addresses: dict[str, list[str]] = defaultdict(list)
        for endpoint in fleet.endpoints.values():
            self._addresses[endpoint.rack].append(str(endpoint.entry.bmc_address))

    async def start(self, control_port: int) -> int:
        """Listen; the port of the control service."""
        port = next(iter(self._fleet.endpoints.values())).entry.bmc_port
        try:
            self._listening = listen("0.0.0.0", port)  # noqa: S104  # on the loopback device only
            control = listen("127.0.0.1", control_port)
        except OSError as failure:
            raise NotServedError(
                "the fleet cannot listen",
                found=str(failure),
                remedy=f"free port {port} and the control port, or describe the fleet with another --port",
            ) from failure
        loop = asyncio.get_running_loop()
        self._control = await loop.create_server(lambda: Control(self._fleet, self._open), sock=control)
        self._running = [loop.create_task(self._accept(self._listening)), loop.create_task(self._sweep())]
        return int(control.getsockname()[1])

    async def stop(self) -> None:
        """End all connections."""
        for task in (*self._running, *self._greeting):
            task.cancel()
        await asyncio.gather(*self._running, *self._greeting, return_exceptions=True)
        if self._control:
            self._control.close()
        for connection in list(self._open):
            connection.transport.abort()
        if self._listening:
            self._listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError:  # out of file descriptors: some will be free soon
                await asyncio.sleep(0.05)
                continue
            endpoint = self._fleet.by_address.get(accepted.getsockname()[0])
            if endpoint is None or not self._fleet.is_reachable(endpoint):
                reset_socket(accepted)
                continue
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._greet(accepted, endpoint))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, accepted: socket.socket, endpoint: Endpoint) -> None:
        tls = self._authority.context(endpoint.rack, self._addresses[endpoint.rack]) if self._authority else None
        make = functools.partial(Bmc, self._fleet, endpoint, self._open)
        with contextlib.suppress(OSError):  # a client that breaks the handshake off, or is not content with it
            await asyncio.get_running_loop().connect_accepted_socket(
                make, accepted, ssl=tls, ssl_handshake_timeout=_HANDSHAKE_S if tls else None
            )

    async def _sweep(self) -> None:
        """Close what has been idle for long, and what is connected to racks that have lost power since."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = asyncio.get_running_loop().time()
            for connection in list(self._open):
                if isinstance(connection, Bmc) and self._fleet.is_dark(connection.endpoint):
                    connection.reset()
                elif connection.is_idle and now - connection.idle_since > IDLE_S:
                    connection.transport.close()
