"""Whether a gateway says that it is up: asked for real, at a small server that stands in for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from components.checks.edge_health import ANSWERS, asked, check_health
from components.checks.result import Status
from components.plan import RegionPlan


async def found(status: str) -> tuple[str, str]:
    """What is found of a gateway that answers so, and the first line and host that it was asked with."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await asked(f"127.0.0.1:{port}", "serve.internal", "/healthz"), heads[0]


async def test_a_gateway_that_answers_200_is_up_and_any_other_answer_is_told() -> None:
    says, head = await found("200 OK")
    assert says == ANSWERS
    assert head.startswith("GET /healthz HTTP/1.1\r\n"), "HTTP/1.0 is refused by Envoy"
    assert (await found("404 Not Found"))[0] == "HTTP 404"


async def test_a_region_whose_gateway_is_silent_fails_with_the_runbook(
    lab_plan: RegionPlan, unused_tcp_port: int
) -> None:
    silent = replace(lab_plan, runtime=replace(lab_plan.runtime, gateway_vip=f"127.0.0.1:{unused_tcp_port}"))
    result = await check_health(silent)
    assert result.status is Status.FAIL
    assert "/healthz answers 200 to lab.internal" in result.expected
    assert result.remedy and "docs/runbooks/EdgeUnhealthy.md" in result.remedy


async def test_the_check_is_good_where_the_gateway_answers(
    lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def well(*asked: str) -> str:
        own = (lab_plan.runtime.gateway_vip, "lab.internal", "/healthz")
        return ANSWERS if asked == own else "asked elsewhere"

    monkeypatch.setattr("components.checks.edge_health.asked", well)
    assert (await check_health(lab_plan)).status is Status.OK
