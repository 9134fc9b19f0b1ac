"""A client of steered services: asks the name servers itself, keeps an answer for as long as it may, and measures."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype

from lab.edges.spaces import Inside

ASK_S = 1.0
"""How long a name server may take before the next one is asked."""
REFUSED = "REFUSED"
"""What a name server says that does not hold the zone."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a name server says."""

    code: str
    addresses: tuple[str, ...]
    ttl_s: int


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request: who answered, how long it took; `by` is empty where nobody did."""

    by: str
    address: str
    ms: float


class Client:
    """At one site. It has one connection, kept while the answer of the name server is the same."""

    def __init__(self, inside: Inside, servers: Sequence[str], *, timeout_s: float = 2) -> None:
        self.inside = inside
        self.servers = tuple(servers)
        self.timeout_s = timeout_s
        self._kept: dict[str, tuple[str, float]] = {}
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def ask(self, name: str, server: str, *, kind: str = "A", subnet: str | None = None) -> Answer | None:
        """Answer of one server, perhaps for a client of another network; None where it does not answer."""
        return self.inside.run(_ask, name, server, kind, subnet)

    def resolve(self, name: str) -> str | None:
        """An address, as a resolver of this site would have it: no newer than its time to live asks for."""
        address, until = self._kept.get(name, ("", 0.0))
        if address and time.monotonic() < until:
            return address
        for server in self.servers:
            answer = self.ask(name, server)
            if answer is not None and answer.code != REFUSED:
                if not answer.addresses:
                    return None
                self._kept[name] = (answer.addresses[0], time.monotonic() + answer.ttl_s)
                return answer.addresses[0]
        return None

    def visit(self, name: str, path: str = "/") -> Visit:
        """One request by name."""
        address = self.resolve(name)
        return self.visit_at(address, name, path) if address else Visit(by="", address="", ms=0)

    def visit_at(self, address: str, name: str, path: str = "/") -> Visit:
        """One request to an address."""
        return self.inside.run(self._visit, address, name, path)

    def _visit(self, address: str, name: str, path: str) -> Visit:
        connection = self._connections.get(address)
        if connection is None:
            connection = self._connections[address] = http.client.HTTPConnection(address, 80, timeout=self.timeout_s)
        began = time.monotonic()
        try:
            connection.request("GET", path, headers={"Host": name})
            response = connection.getresponse()
            body = response.read().decode()
        except (OSError, http.client.HTTPException):
            connection.close()
            return Visit(by="", address=address, ms=(time.monotonic() - began) * 1000)
        by = body if response.status == 200 else ""
        return Visit(by=by, address=address, ms=(time.monotonic() - began) * 1000)


def _ask(name: str, server: str, kind: str, subnet: str | None) -> Answer | None:
    options: list[dns.edns.Option] = [dns.edns.ECSOption(subnet, 24)] if subnet else []
    query = dns.message.make_query(name, kind, use_edns=0, options=options)
    try:
        reply = dns.query.udp(query, server, timeout=ASK_S)
    except (dns.exception.Timeout, OSError):
        return None
    sets = [each for each in reply.answer if each.rdtype == dns.rdatatype.A]
    texts = [record.to_text() for each in sets for record in cast("Iterable[dns.rdata.Rdata]", each)]
    return Answer(
        code=dns.rcode.to_text(reply.rcode()),
        addresses=tuple(texts),
        ttl_s=min((each.ttl for each in sets), default=0),
    )
