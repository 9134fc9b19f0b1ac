"""The hand-over of trays: a record without passwords, and in Ironic once and whole, also after a kill half-way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.clients.ironic import Ironic, IronicError
from components.clients.ironic_nodes import IronicNodes
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue import load_catalogue
from components.spec.catalogue.firmware import Endpoint
from tests.regions import REGIONS, ROOT

MACS = ("02:00:01:01:01:01", "02:00:01:01:01:02")
TRAY = EndpointWork(
    name="ess-r001/3",
    place="3",
    kind=Endpoint.COMPUTE_TRAY,
    serial="T1",
    address="https://127.64.1.3:8443",
    macs=MACS,
)
RACK = RackWork(name="ess-r001", feed="a", tray_kw=8, spares=2, endpoints=(TRAY,))
NAME = "ess-r001-t03"


class FakeIronic:
    """Keeps nodes and ports; refuses a second node of one name."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.ports: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body: dict[str, Any] = json.loads(request.content) if request.content else {}
        if request.method == "POST" and path == "/v1/nodes":
            if body["name"] in self.nodes:
                return httpx.Response(409, json={"error_message": {"faultstring": "a node of this name exists"}})
            self.nodes[body["name"]] = body | {"uuid": "u1", "provision_state": "enroll"}
            return httpx.Response(201, json=self.nodes[body["name"]])
        if request.method == "POST":
            self.ports.append(body)
            return httpx.Response(201, json=body)
        if path == "/v1/ports":
            return httpx.Response(200, json={"ports": [{"address": p["address"]} for p in self.ports]})
        node = self.nodes.get(path.rpartition("/")[2])
        return httpx.Response(200, json=node) if node else httpx.Response(404, json={})


def nodes_in(folder: Path, fake: FakeIronic | None) -> IronicNodes:
    bring_up = load_catalogue(REGIONS / "_catalogue", root=ROOT).bring_up("gb200-nvl72")
    assert bring_up is not None
    transport = httpx.MockTransport(fake) if fake else None
    return IronicNodes(
        folder / "nodes",
        bring_up.kind(Endpoint.COMPUTE_TRAY),
        ca="region-ca.crt",
        reference=lambda rack, endpoint: f"file:{rack}.json#{endpoint}",
        password=lambda rack, endpoint: "Minted-Password-1",
        ironic=Ironic("http://ironic", None, transport=transport) if fake else None,
    )


async def test_the_record_of_a_rack_is_for_its_owner_and_names_the_password_by_reference(tmp_path: Path) -> None:
    nodes = nodes_in(tmp_path, None)
    await nodes.write(RACK, [TRAY])
    path = tmp_path / "nodes" / "ess-r001.json"
    (node,) = json.loads(path.read_text())["nodes"]
    assert node["driver_info"]["redfish_password"] == "file:ess-r001.json#ess-r001/3"
    assert [port["address"] for port in node["ports"]] == list(MACS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert await nodes.is_enrolled(RACK, TRAY), "without Ironic the record is the hand-over"


async def test_a_tray_is_enrolled_with_its_password_and_ports(tmp_path: Path) -> None:
    fake = FakeIronic()
    nodes = nodes_in(tmp_path, fake)
    assert not await nodes.is_enrolled(RACK, TRAY)
    await nodes.enrol(RACK, TRAY)
    assert fake.nodes[NAME]["driver_info"]["redfish_password"] == "Minted-Password-1"
    assert [(p["address"], p["pxe_enabled"]) for p in fake.ports] == [(MACS[0], True), (MACS[1], False)]
    assert await nodes.is_enrolled(RACK, TRAY)


async def test_an_enrolment_that_was_killed_half_way_is_completed(tmp_path: Path) -> None:
    fake = FakeIronic()
    nodes = nodes_in(tmp_path, fake)
    await nodes.enrol(RACK, TRAY)
    del fake.ports[1]
    assert not await nodes.is_enrolled(RACK, TRAY)
    await nodes.enrol(RACK, TRAY)
    assert sorted(p["address"] for p in fake.ports) == list(MACS)


async def test_another_machine_under_the_same_name_is_not_overwritten(tmp_path: Path) -> None:
    fake = FakeIronic()
    fake.nodes[NAME] = {"uuid": "u0", "name": NAME, "provision_state": "active", "extra": {"serial": "T0"}}
    nodes = nodes_in(tmp_path, fake)
    assert not await nodes.is_enrolled(RACK, TRAY)
    with pytest.raises(IronicError):
        await nodes.enrol(RACK, TRAY)
    assert fake.nodes[NAME]["extra"]["serial"] == "T0"
