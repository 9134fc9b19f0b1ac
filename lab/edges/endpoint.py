"""An HTTP program that stands in for the gateway of an edge, with the services that are placed there.

It answers `/healthz`; for the hosts that it was given it answers with its own name; `/relay/...` it hands on to
another edge, as an edge would that has no model of its own, for the hosts that it may do so for. Every request is written to a log, one JSON line
each. It runs no model and is no cluster. Run as `python -m lab.edges.endpoint FILE`.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, cast

RELAY = "/relay"


class Edge(ThreadingHTTPServer):
    """One edge."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, document: dict[str, Any]) -> None:
        self.region: str = document["region"]
        self.hosts = frozenset[str](document["hosts"])
        self.relayed = frozenset[str](document["relayed"])
        self.health: str = document["health"]
        self.relay_to: str | None = document.get("relay_to")
        self.port: int = document["port"]
        self.log = Path(document["log"])
        self.lines = threading.Lock()
        super().__init__((document["address"], self.port), Handler)

    def server_bind(self) -> None:
        """Without the look-up of its own name, which would wait for a resolver that is not there."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.port

    def note(self, host: str, path: str, client: str, code: int) -> None:
        """Write down who asked for what, and the answer's code."""
        with self.lines, self.log.open("a") as log:
            log.write(json.dumps({"host": host, "path": path, "client": client, "code": code}) + "\n")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    upstream: http.client.HTTPConnection | None = None

    @property
    def edge(self) -> Edge:
        """The edge that it comes to."""
        return cast("Edge", self.server)

    def setup(self) -> None:
        """Small answers go out at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        """Health, a service that is placed here, or a relay."""
        host = self.headers.get("Host", "").partition(":")[0]
        if self.request_version == "HTTP/1.0":
            self._answer(426, "as Envoy answers HTTP/1.0")
            return
        if self.path == self.edge.health:
            self._send(200, "well")
            return
        if self.path.startswith(f"{RELAY}/") and host in self.edge.relayed:
            self._answer(200, self._relayed(host))
        elif host in self.edge.hosts:
            self._answer(200, self.edge.region)
        else:
            self._answer(404, f"{self.edge.region} does not serve {host}")

    def _relayed(self, host: str) -> str:
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(self.edge.relay_to or "", self.edge.port, timeout=5)
        self.upstream.request("GET", self.path.removeprefix(RELAY), headers={"Host": host})
        return self.upstream.getresponse().read().decode()

    def _answer(self, code: int, text: str) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        self.edge.note(host, self.path, str(self.client_address[0]), code)
        self._send(code, text)

    def _send(self, code: int, text: str) -> None:
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests have a log of their own."""


def main() -> None:
    """Listen, say so, and answer."""
    edge = Edge(json.loads(Path(sys.argv[1]).read_text()))
    print("listens", flush=True)
    edge.serve_forever()


if __name__ == "__main__":
    main()
