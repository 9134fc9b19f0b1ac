"""What the real Envoy sends again of requests that an upstream had when it died, by the filter that routes carry.

Its configuration stands here as Envoy Gateway writes it of the tenant's policy and the service's route.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.plan.tenancy.gateway import IDEMPOTENT, repeats_filter, traffic_spec
from components.plan.tenants import ScalingPlan, ServicePlan, TenantPlan
from components.spec.service import ServicePort
from tests.integration.object_store import TOOLS

pytestmark = pytest.mark.integration
TENANT = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4)
FILTERS = "type.googleapis.com/envoy.extensions.filters"
PREVIOUS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
OTHERS = ("POST", "PATCH")
KEPT_BYTES = 32768
"""Of a connection, as Envoy Gateway sets it where no policy says otherwise; bodies up to there can be sent again."""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"


def service(*, is_repeatable: bool) -> ServicePlan:
    return ServicePlan(
        name="a",
        tenant="demo",
        namespace="tenant-demo",
        image="a@sha256:0",
        host="a.demo.lab.internal",
        ports=(ServicePort(),),
        gpus=0,
        min_replicas=0,
        max_replicas=1,
        idle_after_s=15,
        scaling=ScalingPlan(),
        is_repeatable=is_repeatable,
    )


@dataclass
class Upstream:
    """Says `last_words` to each request and hangs up with a reset, as a killed process does; or answers it."""

    last_words: bytes | None = None
    port: int = 0
    seen: list[bytes] = field(default_factory=list[bytes])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        self.seen.append(head + await reader.readexactly(size))
        writer.write(ANSWER if self.last_words is None else self.last_words)
        await writer.drain()
        if self.last_words is not None:
            await asyncio.sleep(0.05)  # what was said is read before the reset
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()


def _route(plan: ServicePlan) -> dict[str, Any]:
    (header,) = repeats_filter(plan)["requestHeaderModifier"]["set"]
    retry = traffic_spec(TENANT)["retry"]
    return {
        "match": {"prefix": "/"},
        "request_headers_to_add": [
            {
                "header": {"key": header["name"], "value": header["value"]},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ],
        "route": {
            "cluster": "interceptors",
            "timeout": "0s",
            "retry_policy": {
                "retry_on": ",".join(retry["retryOn"]["triggers"]),
                "num_retries": retry["numRetries"],
                "retry_host_predicate": [{"name": "previous", "typed_config": {"@type": PREVIOUS}}],
                "host_selection_retry_max_attempts": 5,
            },
        },
    }


def _configuration(plan: ServicePlan, port: int, upstreams: list[Upstream]) -> dict[str, Any]:
    router = {"@type": f"{FILTERS}.http.router.v3.Router", "suppress_envoy_headers": True}
    manager = {
        "@type": f"{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "use_remote_address": True,
        "http_filters": [{"name": "router", "typed_config": router}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_route(plan)]}]},
    }
    listener = {
        "name": "http",
        "address": _address(port),
        "per_connection_buffer_limit_bytes": KEPT_BYTES,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    endpoints = [{"endpoint": {"address": _address(each.port)}} for each in upstreams]
    cluster = {
        "name": "interceptors",
        "connect_timeout": "1s",
        "per_connection_buffer_limit_bytes": KEPT_BYTES,
        "load_assignment": {"cluster_name": "interceptors", "endpoints": [{"lb_endpoints": endpoints}]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@asynccontextmanager
async def gateway(folder: Path, plan: ServicePlan, *upstreams: Upstream) -> AsyncGenerator[httpx.AsyncClient]:
    """Envoy in front of the upstreams, which it asks in turn; a client of it."""
    program = shutil.which("envoy", path=TOOLS)
    if program is None:
        pytest.skip("envoy is not installed: make install")
    servers = [await asyncio.start_server(each.serve, "127.0.0.1", 0) for each in upstreams]
    for each, server in zip(upstreams, servers, strict=True):
        each.port = server.sockets[0].getsockname()[1]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    written = folder / "envoy.json"
    written.write_text(json.dumps(_configuration(plan, port, list(upstreams))))
    words = ("--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c", str(written))
    process = await asyncio.create_subprocess_exec(program, *words)
    try:
        await _until_open(port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            yield client
    finally:
        process.kill()
        await process.wait()
        for server in servers:
            server.close()


async def _until_open(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def answers(client: httpx.AsyncClient, method: str, body: bytes = b"text") -> list[int]:
    """Of as many requests as there are upstreams, so that the dead one is asked first once at least; sorted."""
    content = body if method in ("PUT", *OTHERS) else None
    return sorted([(await client.request(method, "/", content=content)).status_code for _ in range(2)])


async def test_what_an_interceptor_had_is_offered_to_the_other_one_where_the_method_may_be_repeated(
    tmp_path: Path,
) -> None:
    dead, alive = Upstream(last_words=b""), Upstream()
    async with gateway(tmp_path, service(is_repeatable=False), dead, alive) as client:
        found = {method: await answers(client, method) for method in (*IDEMPOTENT, *OTHERS)}
    assert {found[method] == [200, 200] for method in IDEMPOTENT} == {True}, found
    assert {found[method] == [200, 503] for method in OTHERS} == {True}, f"these may have had an effect: {found}"
    assert {each.split()[0].decode() for each in dead.seen} == set(found), "control: it had one of each"
    puts = [each for each in alive.seen if each.startswith(b"PUT")]
    assert [each[-4:] for each in puts] == [b"text", b"text"], "with its body"


async def test_all_methods_of_a_service_are_repeated_that_says_so_and_it_sees_nothing_of_the_filter(
    tmp_path: Path,
) -> None:
    dead, alive = Upstream(last_words=b""), Upstream()
    async with gateway(tmp_path, service(is_repeatable=True), dead, alive) as client:
        assert {method: await answers(client, method) for method in OTHERS} == {each: [200, 200] for each in OTHERS}
    assert dead.seen
    assert not [each for each in alive.seen + dead.seen if b"retry" in each.lower()]


async def test_a_client_cannot_ask_for_it_itself(tmp_path: Path) -> None:
    async with gateway(tmp_path, service(is_repeatable=False), Upstream(last_words=b""), Upstream()) as client:
        client.headers["x-envoy-retry-on"] = "reset"
        assert await answers(client, "POST") == [200, 503]


async def test_an_answer_that_had_begun_is_not_begun_again(tmp_path: Path) -> None:
    dying, alive = Upstream(last_words=BEGUN), Upstream()
    async with gateway(tmp_path, service(is_repeatable=True), dying, alive) as client:
        outcomes: list[str] = []
        for _ in range(2):
            try:
                outcomes.append(str((await client.get("/")).status_code))
            except httpx.RemoteProtocolError:
                outcomes.append("cut off")
    assert sorted(outcomes) == ["200", "cut off"]
    assert (len(dying.seen), len(alive.seen)) == (1, 1)


async def test_a_body_that_is_larger_than_what_is_kept_is_not_sent_again(tmp_path: Path) -> None:
    async with gateway(tmp_path, service(is_repeatable=True), Upstream(last_words=b""), Upstream()) as client:
        assert await answers(client, "POST", b"x" * (KEPT_BYTES // 2)) == [200, 200]
        assert await answers(client, "POST", b"x" * (8 * KEPT_BYTES)) == [200, 503]
