"""The client that asks a service for its health by gRPC, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from components.clients.grpc_health import ask_health
from components.clients.web import CallError
from tests.grpc_echo import Server

ADDRESS, HOST = "127.0.0.1", "chat.demo.lab.internal"
Start = Callable[[Server], int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server; its port. All end with the test."""
    started: list[Server] = []

    def run(server: Server) -> int:
        started.append(server)
        return server.start()

    yield run
    for server in started:
        server.stop()


async def test_a_server_that_serves_says_so(start: Start) -> None:
    port = start(Server(f"{ADDRESS}:0"))
    assert (await ask_health(ADDRESS, host=HOST, port=port)).status == 200


async def test_one_that_does_not_serve_is_told(start: Start) -> None:
    port = start(Server(f"{ADDRESS}:0", health=b"\x08\x02"))
    with pytest.raises(CallError) as raised:
        await ask_health(ADDRESS, host=HOST, port=port)
    (problem,) = raised.value.problems
    assert (problem.path, problem.found) == (f"{HOST}/grpc.health.v1.Health/Check", "an answer, but not that it serves")


async def test_one_without_the_health_service_is_told_by_its_code(start: Start) -> None:
    port = start(Server(f"{ADDRESS}:0", health=None))
    with pytest.raises(CallError) as raised:
        await ask_health(ADDRESS, host=HOST, port=port)
    assert str(raised.value.problems[0].found).startswith("UNIMPLEMENTED: ")


async def test_where_nobody_listens_the_code_says_so(start: Start) -> None:
    server = Server(f"{ADDRESS}:0")
    port = server.start()
    server.stop()
    with pytest.raises(CallError) as raised:
        await ask_health(ADDRESS, host=HOST, port=port, timeout_s=5)
    assert str(raised.value.problems[0].found).startswith("UNAVAILABLE: ")
