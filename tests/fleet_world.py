"""A simulated fleet for tests: without a network and with a clock that is moved by hand, or over real HTTP."""

from __future__ import annotations

import base64
import contextlib
import json
import random
import socket
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lab.fleet.clock import Clock
from lab.fleet.describe import describe
from lab.fleet.endpoint import Endpoint
from lab.fleet.fleet import Fleet, Request
from lab.fleet.package import write
from lab.fleet.pki import Authority
from lab.fleet.scenario import Scenario
from lab.fleet.server import Server

TRAY, DPU, SWITCH, SHELF = "sim-r001/1", "sim-r001/1/left-bf3", "sim-r001/nvlink/1", "sim-r001/power-shelf/1"
SYSTEM = "/redfish/v1/Systems/System_0"
QUICK = {"p50": 0.001, "p99": 0.002}


class Hands(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__(1)
        self.at = 0.0

    def now(self) -> float:
        return self.at


def scenario(**changes: Any) -> Scenario:
    """A scenario in which every request is answered at once and no password has to be changed."""
    kinds = {kind: {"latency_s": QUICK} for kind in ("compute_tray", "dpu", "nvlink_switch", "power_shelf")}
    return Scenario.model_validate({"kinds": kinds, "factory_password_must_change": False, **changes})


def fleet(*, racks: int = 1, state: Path | None = None, clock: Clock | None = None, **changes: Any) -> Fleet:
    """A fleet with a clock of its own, at 0."""
    return Fleet(describe(racks), scenario(**changes), state, clock or Hands())


def move(fleet: Fleet, seconds: float) -> None:
    """Let time go by."""
    assert isinstance(fleet.clock, Hands)
    fleet.clock.at += seconds


class Client:
    """Asks one endpoint, without a network."""

    def __init__(self, fleet: Fleet, name: str = TRAY, password: str | None = None) -> None:
        self.fleet = fleet
        self.endpoint: Endpoint = fleet.endpoints[name]
        self.password = self.endpoint.entry.bmc_password if password is None else password

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Mapping[str, str]]:
        """Status, body, headers."""
        known = {"authorization": basic(self.password)} | {k.replace("_", "-"): v for k, v in headers.items()}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer = self.fleet.handle(self.endpoint, Request(method, path, known, data))
        return answer.status, json.loads(answer.body) if answer.body else None, dict(answer.headers)

    def get(self, path: str) -> Any:
        status, body, _ = self.ask("GET", path)
        assert status == 200, (path, status, body)
        return body

    def patch(self, path: str, body: Any) -> int:
        return self.ask("PATCH", path, body)[0]

    def post(self, path: str, body: Any) -> int:
        return self.ask("POST", path, body)[0]

    def reset(self, sort: str, system: str = "System_0") -> int:
        return self.post(f"/redfish/v1/Systems/{system}/Actions/ComputerSystem.Reset", {"ResetType": sort})

    def push(self, versions: Mapping[int, str], targets: list[str] | None = None) -> tuple[int, Any, Mapping[str, str]]:
        body, kind = push_body(versions, targets)
        return self.ask("POST", "/redfish/v1/UpdateService/update-multipart", body, content_type=kind)

    @property
    def ledger(self) -> Mapping[str, int]:
        return self.fleet.ledger().get(self.endpoint.name, {})


def basic(password: str, user: str = "root") -> str:
    """The header of basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def push_body(versions: Mapping[int, str], targets: list[str] | None = None) -> tuple[bytes, str]:
    """Body and content type of a push of firmware."""
    parameters = json.dumps({"Targets": targets} if targets else {}).encode()
    sections = (("UpdateParameters", "application/json", parameters), ("UpdateFile", "", write(versions)))
    body = b""
    for name, kind, content in sections:
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        body += (head + (f"Content-Type: {kind}\r\n" if kind else "") + "\r\n").encode() + content + b"\r\n"
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def free_port() -> int:
    """A port that nobody listens on.

    Of those below what the kernel gives to whoever calls out: between this look and the test's own use of it,
    a connection of another test process would take one of the kernel's choice.
    """
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311  # of no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port


@asynccontextmanager
async def served(fleet: Fleet, *, tls: Path | None = None):
    """A fleet over real HTTP: yields the address of its control service."""
    server = Server(fleet, Authority(tls) if tls else None)
    port = await server.start(0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()
        fleet.close()
