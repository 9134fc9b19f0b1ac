"""Asks a service for its health by gRPC, as its clients call it: at an address, without TLS, by the service's name.

The protocol is grpc.health.v1 (github.com/grpc/grpc-proto, grpc/health/v1/health.proto), of which one call about the
server as a whole is spoken. Its two messages are small enough to be written and read without generated code.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import cast

import grpc
import grpc.aio

from components.clients.web import Answer, CallError
from components.errors import Problem

METHOD = "/grpc.health.v1.Health/Check"
ABOUT_ALL = b""
"""A HealthCheckRequest that names no service of the server."""
SERVING = b"\x08\x01"
"""The HealthCheckResponse of a server that serves: field 1, a varint, is 1."""


async def ask_health(address: str, *, host: str, port: int = 80, timeout_s: float = 60) -> Answer:
    """One call on a connection of its own. Raises CallError if there is no answer, or another than that it serves."""
    began = time.monotonic()
    options = [("grpc.default_authority", host), ("grpc.enable_http_proxy", 0)]
    try:
        async with grpc.aio.insecure_channel(f"{address}:{port}", options) as channel:
            # Bytes both ways: what its annotations expect instead is generated.
            ask = cast("Callable[..., Awaitable[bytes]]", channel.unary_unary(METHOD))
            answer = await ask(ABOUT_ALL, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        raise _error(host, f"{error.code().name}: {error.details()}") from error
    if answer != SERVING:
        raise _error(host, "an answer, but not that it serves")
    return Answer(status=200, text="it serves", seconds=time.monotonic() - began)


def _error(host: str, found: str) -> CallError:
    problem = Problem(
        path=f"{host}{METHOD}",
        message=f"{host} does not say that it serves",
        found=found,
        remedy="see docs/runbooks/FunctionDoesNotWake.md",
    )
    return CallError(f"{host} does not say that it serves", [problem])
