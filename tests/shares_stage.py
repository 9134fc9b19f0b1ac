"""Shares of two tracks that change at a real gateway, under requests; prints what clients were answered, as JSON.

Run as the first process of a place of its own (`lab.joins.namespace.inside`). Envoy Gateway, Envoy and the route are
real; behind it stands a server that tells which track a request was for. `WEIGHTS` is JSON: those of both tracks, one
after the other.

    python -m tests.shares_stage FOLDER WEIGHTS
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from components.plan.rollout import Track
from components.plan.serving import GATEWAY_NAMESPACE
from components.plan.tenants import TenantPlan
from components.runtime.objects_routes import TRACK_HEADER, route_spec
from lab import shell
from tests.a_service import chat
from tests.gateway_stage import ENVOY_GROUP, GATEWAY_API, backend_of, objects, parents, running
from tests.regions import lab, plan_of

TENANT = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=0, domain="demo.lab.internal")
SERVICE = chat()
FRONT, BEHIND = "192.0.2.1", 9000
CLIENTS = 8
STANDS_S = 2.0
"""How long each pair of weights stands."""
START_S = 60


def route(weights: Sequence[int]) -> list[dict[str, Any]]:
    """The service's route with these weights, and in place of the interceptor what a file can say of it."""
    spec = route_spec(SERVICE, "front", GATEWAY_NAMESPACE, dict(zip(Track, weights, strict=True)))
    (rule,) = spec["rules"]
    reference = {"group": ENVOY_GROUP, "kind": "Backend", "name": "behind"}
    behind = [{"weight": each["weight"], "filters": each["filters"], **reference} for each in rule["backendRefs"]]
    meta = {"name": "chat-shares", "namespace": TENANT.namespace}
    own = {**spec, "parentRefs": parents(TENANT, spec), "rules": [{**rule, "backendRefs": behind}]}
    return [
        backend_of({}, "behind", TENANT.namespace, "127.0.0.1", BEHIND),
        {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "metadata": meta, "spec": own},
    ]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each request of a connection is answered with the track that it is for."""
    while head := await _head(reader):
        track = head[f"{TRACK_HEADER}:".encode()]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(track), track))
        await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> dict[bytes, bytes]:
    """The first line, under nothing, and each header under its name with the colon; empty at the end."""
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).strip().split(b"\r\n")
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        return {}
    return {b"": first, **{words[0].lower(): words[1] for words in (line.split(None, 1) for line in lines)}}


async def call(seen: Counter[str], over: asyncio.Event | None = None) -> None:
    """Requests over one connection, until it is over, or just one; status and track of each answer are counted."""
    reader, writer = await asyncio.open_connection(FRONT, 80)
    while True:
        writer.write(f"GET / HTTP/1.1\r\nHost: {SERVICE.host}\r\n\r\n".encode())
        head = await _head(reader)
        body = await reader.readexactly(int(head.get(b"content-length:", b"0")))
        status = head[b""].split()[1].decode()
        seen[f"{status} {body.decode()}" if status == "200" else status] += 1
        if over is None or over.is_set():
            break
    writer.close()


async def tried(folder: Path, weights: list[list[int]]) -> dict[str, int]:
    """Answers while weights follow each other."""
    server = await asyncio.start_server(serve, "127.0.0.1", BEHIND)
    seen, over = Counter[str](), asyncio.Event()
    await _until_answered()
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(call(seen, over))
        for each in weights[1:]:
            await asyncio.sleep(STANDS_S)
            write(folder, each)
        await asyncio.sleep(STANDS_S)
        over.set()
    server.close()
    return dict(seen)


async def _until_answered() -> None:
    seen = Counter[str]()
    async with asyncio.timeout(START_S):
        while not any(answer.startswith("200") for answer in seen):
            await asyncio.sleep(0.2)
            with suppress(OSError):
                await call(seen)


def write(folder: Path, weights: Sequence[int]) -> None:
    """The route with these weights, in place of the one that is there; whole at any time."""
    new = folder / "route.yaml"
    new.write_text(yaml.safe_dump_all(route(weights)))
    new.replace(folder / "objects/route.yaml")


def main() -> None:
    """Start the gateway, call, and change the shares."""
    folder, weights = Path(sys.argv[1]), json.loads(sys.argv[2])
    shell.run("ip", "address", "add", f"{FRONT}/32", "dev", "lo")
    (folder / "gateway").mkdir()
    with running(None, folder, objects(TENANT, [], plan_of(lab()).runtime, folder / "gateway")):
        write(folder, weights[0])
        print(json.dumps(asyncio.run(tried(folder, weights))))


if __name__ == "__main__":
    main()
