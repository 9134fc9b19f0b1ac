"""All BMCs of the lab in one process: `python -m lab.bmc.server`.

Each listens on its own address with TLS and wants the BMC password; a machine does not notice when this
process ends.
"""

from __future__ import annotations

import base64
import hmac
import json
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from lab.bmc import redfish
from lab.bmc.driver import MACHINE
from lab.context import Lab
from lab.services import pki, secrets
from lab.wiring import Machine

PORT = 443
_OPEN = frozenset({"", "redfish", "redfish/v1"})
"""What Redfish lets everybody read: the service's root."""
_HANDSHAKE_S = 10

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class Front:
    """What stands before the application at one BMC: who may come in, and which machine it is."""

    def __init__(self, app: Wsgi, machine: Machine, credentials: Mapping[str, str]) -> None:
        self._app = app
        self._machine = machine
        pair = f"{credentials['username']}:{credentials['password']}"
        self._expected = b"Basic " + base64.b64encode(pair.encode())

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        given = str(environ.pop("HTTP_AUTHORIZATION", "")).encode()
        if environ.get("PATH_INFO", "").strip("/") not in _OPEN and not hmac.compare_digest(given, self._expected):
            return self._refuse(start_response)
        environ[MACHINE] = self._machine
        return self._app(environ, start_response)

    @staticmethod
    def _refuse(start_response: StartResponse) -> Iterable[bytes]:
        error = {"code": "Base.1.0.InsufficientPrivilege", "message": "wrong or missing user name and password"}
        body = json.dumps({"error": error}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("WWW-Authenticate", 'Basic realm="Redfish"'),
        ]
        start_response("401 Unauthorized", headers)
        return [body]


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # a client that polls keeps its connection

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        self.log("info", '"%s" %s', self.requestline.split("?")[0], code)


class _Server(ThreadedWSGIServer):
    """A TLS server whose handshakes do not wait for each other: a silent client costs one thread."""

    def __init__(self, address: str, app: Wsgi, context: ssl.SSLContext) -> None:
        super().__init__(address, PORT, app, _Handler)
        self.ssl_context = context
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        connection: socket.socket = request
        connection.settimeout(_HANDSHAKE_S)
        try:
            secured = self._context.wrap_socket(connection, server_side=True)
        except OSError:
            return  # a port scan, or somebody who does not trust us
        secured.settimeout(None)
        super().finish_request(secured, client_address)
        self.shutdown_request(secured)


def main() -> None:
    """Serve until told to end."""
    lab = Lab.running()
    app = redfish.application(lab)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*pki.certificate(lab.home, "bmc"))
    credentials = secrets.read(lab.home, "bmc")
    for machine in lab.wiring.machines:
        server = _Server(str(machine.bmc_address), Front(app.wsgi_app, machine, credentials), context)
        threading.Thread(target=server.serve_forever, daemon=True, name=machine.name).start()
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    ended.wait()


if __name__ == "__main__":
    main()
    sys.exit(0)
