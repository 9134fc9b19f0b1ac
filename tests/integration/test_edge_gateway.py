"""An edge as the name servers and its clients see it: the real Envoy, made by the real Envoy Gateway, and real gdnsd."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.plan.edges import SteeringPlan
from components.plan.renders.steering import config, zone
from components.plan.tenants import ServicePlan
from lab import shell
from lab.edges import gdnsd, spaces
from tests.edge_world import all_regions, plan_of, planned, project, steering_of
from tests.gateway_stage import objects, running

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),  # Envoy Gateway is built where no other run has
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: run it as root"),
]
START_S = 90


@dataclass(frozen=True)
class Stage:
    """The edge in Paris, in a namespace with the name server ns1."""

    inside: spaces.Inside
    namespace: str
    folder: Path
    steering: SteeringPlan
    services: dict[str, ServicePlan]

    @property
    def address(self) -> str:
        return self.steering.edge("paris").address

    def get(self, host: str, path: str) -> tuple[int, str]:
        return self.inside.run(_get, self.address, host, path)

    def said(self, request: bytes) -> bytes:
        return self.inside.run(_said, self.address, request)

    def secured(self, host: str, authority: Path) -> str | None:
        """Protocol that is agreed on, by a client that trusts the authority for this name."""
        return self.inside.run(_secured, self.address, host, authority)


def _get(address: str, host: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, 80, timeout=5)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def _said(address: str, request: bytes) -> bytes:
    with socket.create_connection((address, 80), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(4096)


def _secured(address: str, host: str, authority: Path) -> str | None:
    context = ssl.create_default_context(cafile=str(authority))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((address, 443), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return secure.selected_alpn_protocol()


def until(is_so: Callable[[], bool], what: str, log: Path) -> None:
    """Wait for it."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except OSError:
            pass
        time.sleep(0.5)
    pytest.fail(f"{what} within {START_S} s: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("gateway")
    regions_folder = project(folder)
    regions = all_regions(regions_folder)
    paris = planned(regions["paris"])
    steering = plan_of(steering_of(regions_folder), regions)
    services = {each.name: each for each in paris.runtime.services if each.tenant == "shop"}
    shop = next(tenant for tenant in paris.cluster.tenants if tenant.name == "shop")
    wanted = objects(shop, list(services.values()), paris.runtime, folder)
    namespace = spaces.name_of("gateway")
    spaces.create([namespace])
    try:
        for address in (steering.edge("paris").address, steering.name_servers[0].address):
            shell.run("ip", "-n", namespace, "address", "add", f"{address}/32", "dev", "lo")
        inside = spaces.Inside(namespace)
        stage = Stage(inside, namespace, folder, steering, services)
        with running(namespace, folder, wanted) as log:
            until(lambda: stage.get(paris.runtime.health_host, "/healthz")[0] == 200, "the gateway answers", log)
            yield stage
        inside.close()
    finally:
        spaces.remove([namespace])


def test_gdnsd_as_it_is_configured_finds_the_gateway_up(stage: Stage) -> None:
    server, own = stage.steering.name_servers[0], stage.folder / "ns1"
    for each in ("run", "state", "zones"):
        (own / each).mkdir(parents=True)
    (own / "config").write_text(config(stage.steering, server, str(own / "run"), str(own / "state")))
    for sovereignty in server.classes:
        (own / "zones" / stage.steering.zone(sovereignty)).write_text(zone(stage.steering, sovereignty))
    program = gdnsd.program(stage.folder)
    process = program.start(stage.namespace, own, own / "log")
    try:
        until((own / "run/control.sock").exists, "gdnsd runs", own / "log")
        states = json.loads(program.control(own, "states"))
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert states[f"{stage.address}/edge"]["real_state"] == "UP", "it looks before it answers"
    assert states[f"{stage.steering.edge('tokyo').address}/edge"]["real_state"] == "DOWN", "the control"


def test_without_a_name_and_by_http_1_0_as_gdnsd_asks_by_itself_envoy_refuses(stage: Stage) -> None:
    assert stage.said(b"GET /healthz HTTP/1.0\r\nUser-Agent: gdnsd-monitor\r\n\r\n").startswith(b"HTTP/1.1 426 ")


def test_the_gateway_answers_by_one_name_at_one_path(stage: Stage) -> None:
    assert stage.get("serve.internal", "/healthz") == (200, "the gateway is up\n")
    assert stage.get("serve.internal", "/")[0] == 404
    for other in (stage.address, "any.example", "nobody.shop.paris.internal"):
        assert stage.get(other, "/healthz")[0] == 404, other


def test_a_service_answers_to_both_names_and_the_health_path_below_them_is_its_own(stage: Stage) -> None:
    for name in ("near", "ours"):
        service = stage.services[name]
        assert len(service.hosts) == 2
        for host in service.hosts:
            for path in ("/", "/healthz"):
                assert stage.get(host, path) == (200, f"shop/{name}"), host


def test_each_name_has_a_certificate_and_keeps_http_2(stage: Stage) -> None:
    for host in (*stage.services["near"].hosts, stage.services["ours"].hosts[1]):
        assert stage.secured(host, stage.folder / "ca.crt") == "h2", host
    with pytest.raises(OSError):
        stage.secured("near.rival.global.serve.internal", stage.folder / "ca.crt")
