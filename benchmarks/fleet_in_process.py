"""A simulated fleet in this process, by a computed clock: what stands in for sockets, TLS and the simulator's server.

Owns the way of a request from the engine's Redfish client (components/clients/bmc) to an endpoint of the fleet and
back: the same line before an endpoint's workers, the same draws, the same answers as `lab.fleet serve` gives, and the
errors that aiohttp would raise. Deliberately has no connections: nothing is looked up, no handshake is made, none is
kept, and bytes take no time on their way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from lab.fleet.answers import Answer, error, unavailable
from lab.fleet.behaviour import Mishap
from lab.fleet.clock import Clock
from lab.fleet.description import Description
from lab.fleet.endpoint import Endpoint, arrive
from lab.fleet.fleet import Fleet, Request
from lab.fleet.scenario import Scenario
from tests.virtual_time import burn


class ComputedClock(Clock):
    """The machines' clock, by the running loop's."""

    def now(self) -> float:
        return asyncio.get_running_loop().time() * self.compression


class Heard:
    """What the Redfish client reads of a response."""

    __slots__ = ("_body", "headers", "status")

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = dict(answer.headers)
        self._body = answer.body

    async def read(self) -> bytes:
        """The body."""
        return self._body


class InProcess:
    """In place of an `aiohttp.ClientSession`, as far as the Redfish client uses one."""

    def __init__(self, description: Description, scenario: Scenario, *, processor_s: float) -> None:
        """`processor_s`: what this process computes for one request over HTTPS, half of it before the request goes
        out and half after the answer came; it goes by on the computed clock."""
        self.fleet = Fleet(description, scenario, clock=ComputedClock(scenario.time.compression))
        self._half_s = processor_s / 2

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: URL,
        *,
        data: aiohttp.MultipartWriter | bytes | None,
        headers: Mapping[str, str],
        allow_redirects: bool,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's name
    ) -> AsyncGenerator[Heard]:
        """Raises what aiohttp raises."""
        del allow_redirects  # a fleet has none
        burn(self._half_s)
        sent = {name.lower(): value for name, value in headers.items()}
        if isinstance(data, aiohttp.MultipartWriter):
            sent["content-type"] = data.headers["Content-Type"]
            data = await data.as_bytes()
        asked = Request(method, url.raw_path_qs, sent, data or b"")
        limit_s = timeout.sock_read or timeout.total or float("inf")
        answer = await self._answered(self.fleet.by_address[url.host or ""], asked, limit_s)
        burn(self._half_s)
        yield Heard(answer)

    async def close(self) -> None:
        """There are no connections."""
        self.fleet.close()

    async def _answered(self, endpoint: Endpoint, request: Request, limit_s: float) -> Answer:
        """As the simulator's server has it."""
        decision = self.fleet.arrive(endpoint)
        if decision.mishap is Mishap.REFUSED:
            raise aiohttp.ServerDisconnectedError if self.fleet.is_reachable(endpoint) else _no_connection(endpoint)
        loop = asyncio.get_running_loop()
        place = arrive(endpoint, loop.time(), decision.service_s) if decision.mishap is not Mishap.SILENCE else None
        if place and place.is_refused:
            return unavailable("The BMC is busy.", 1).answer
        if place is None or place.wait_s > limit_s:
            if place:  # a BMC does it also for a client that has gone
                loop.call_later(place.wait_s, self._done, endpoint, request)
            await asyncio.sleep(limit_s)
            raise aiohttp.SocketTimeoutError
        await asyncio.sleep(place.wait_s)
        if decision.mishap is Mishap.ERROR:
            return error(decision.status)
        answer = self._done(endpoint, request)
        if answer is None or decision.mishap is Mishap.ANSWER_LOST:
            raise aiohttp.ServerDisconnectedError
        return answer

    def _done(self, endpoint: Endpoint, request: Request) -> Answer | None:
        """None from a BMC that went away meanwhile."""
        return self.fleet.handle(endpoint, request) if self.fleet.is_reachable(endpoint) else None


def _no_connection(endpoint: Endpoint) -> aiohttp.ClientConnectorError:
    key = ConnectionKey(str(endpoint.entry.bmc_address), endpoint.entry.bmc_port, True, True, None, None, None)
    return aiohttp.ClientConnectorError(key, ConnectionResetError("the BMC is away"))
