"""Ironic's API in memory, for the client and the rack: states move as the real one's do.

Answers with payloads in the real shapes, errors included. A node moves one state further each time all
nodes are listed, which is what a waiting client does.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

PATHS: Mapping[str, tuple[tuple[str, ...], str]] = {
    # verb: (states it is allowed in, comma separated states that follow)
    "manage": (("enroll", "available", "inspect failed", "clean failed"), "verifying,manageable"),
    "inspect": (("manageable",), "inspecting,inspect wait,manageable"),
    "provide": (("manageable",), "cleaning,clean wait,available"),
    "active": (("available", "deploy failed"), "deploying,wait call-back,deploying,active"),
    "deleted": (
        ("active", "deploy failed", "error", "wait call-back"),
        "deleting,cleaning,clean wait,available",
    ),
    "abort": (("inspect wait", "clean wait"), ""),
}
FAILED = {"manage": "enroll", "inspect": "inspect failed", "provide": "clean failed", "active": "deploy failed"}


class KilledError(BaseException):
    """The client's process dies here."""


@dataclass
class Machine:
    """What the agent would find in a tray."""

    serial: str
    macs: tuple[str, ...]


@dataclass
class FakeIronic:
    """All of Ironic."""

    machines: dict[str, Machine] = field(default_factory=dict[str, Machine])
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    ports: dict[str, str] = field(default_factory=dict[str, str])
    inventories: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """(node, verb) in the order they were accepted."""
    failing: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """(node, verb) -> last_error with which it ends."""
    refusing: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """(node, verb) -> text with which it is refused at once."""
    hanging: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(node, verb) that never leaves its waiting state."""
    drives: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    on_request: Callable[[int, str], None] = lambda number, when: None
    """Called before and after each request; may raise KilledError."""
    requests: int = 0
    busy: int = 0
    """Requests that act to answer with "locked" before the next is accepted."""
    _way: dict[str, tuple[str, list[str]]] = field(default_factory=dict[str, tuple[str, list[str]]])

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        number = self.requests
        self.on_request(number, "before")
        response = self._answer(request)
        self.on_request(number, "after")
        return response

    def count(self, verb: str, node: str | None = None) -> int:
        return sum(1 for n, v in self.asked if v == verb and node in (None, n))

    def settle(self) -> None:
        """Let time pass until nothing moves by itself."""
        for _ in range(10):
            self._tick()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["X-OpenStack-Ironic-API-Version"] == "1.81"
        parts = request.url.path.strip("/").split("/")[1:]
        body: Any = json.loads(request.content) if request.content else None
        if parts[0] == "ports":
            return self._ports(request, body)
        if request.method != "GET" and len(parts) > 1 and self.busy:
            self.busy -= 1
            return _error(409, f"Node {parts[1]} is locked by host lab, please retry after the current operation.")
        if len(parts) == 1:
            return self._create(body) if request.method == "POST" else self._list()
        node = self.nodes.get(parts[1])
        if node is None:
            return _error(404, f"Node {parts[1]} could not be found.")
        return self._node(request.method, parts[1], parts[2:], body)

    def _node(self, method: str, name: str, rest: list[str], body: Any) -> httpx.Response:
        node = self.nodes[name]
        if rest == ["states", "provision"]:
            return self._provision(name, body)
        if rest == ["states", "power"]:
            if (name, body["target"]) in self.refusing:
                return _error(500, self.refusing[name, body["target"]])
            self.asked.append((name, body["target"]))
            if (name, body["target"]) in self.failing:
                node["last_error"] = self.failing[name, body["target"]]
            else:
                node["power_state"] = body["target"]
            return httpx.Response(202)
        if rest == ["maintenance"]:
            node.update(maintenance=False, fault=None, maintenance_reason=None)
            return httpx.Response(202)
        if rest == ["inventory"]:
            found = self.inventories.get(name)
            return httpx.Response(200, json=found) if found else _error(404, f"Cannot obtain inventory of {name}")
        if method == "PATCH":
            for change in body:
                _, *keys, last = change["path"].split("/")
                inner = node
                for key in keys:
                    inner = inner.setdefault(key, {})
                inner[last] = change["value"]
        if method == "DELETE":
            if node["provision_state"] not in ("enroll", "manageable", "available"):
                return _error(400, f"Can not delete node {name} while it is in provision state")
            self.asked.append((name, "delete"))
            del self.nodes[name]
            self.ports = {mac: owner for mac, owner in self.ports.items() if owner != node["uuid"]}
            self.inventories.pop(name, None)
            return httpx.Response(204)
        return httpx.Response(200, json=node)

    def _list(self) -> httpx.Response:
        self._tick()
        return httpx.Response(200, json={"nodes": list(self.nodes.values())})

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if body["name"] in self.nodes:
            return _error(409, f"A node with name {body['name']} already exists.")
        node: dict[str, Any] = {
            "uuid": str(uuid.uuid4()),
            "provision_state": "enroll",
            "target_provision_state": None,
            "provision_updated_at": None,
            "power_state": None,
            "maintenance": False,
            "maintenance_reason": None,
            "fault": None,
            "last_error": None,
            "reservation": None,
            "extra": {},
            "instance_info": {},
            **body,
        }
        self.nodes[body["name"]] = node
        self.asked.append((body["name"], "create"))
        return httpx.Response(201, json=node)

    def _ports(self, request: httpx.Request, body: Any) -> httpx.Response:
        if request.method == "POST":
            if body["address"] in self.ports:
                return _error(409, f"A port with MAC address {body['address']} already exists.")
            self.ports[body["address"]] = body["node_uuid"]
            return httpx.Response(201, json=body)
        owner = self.nodes[request.url.params["node"]]["uuid"]
        return httpx.Response(200, json={"ports": [{"address": m} for m, o in self.ports.items() if o == owner]})

    def _provision(self, name: str, body: dict[str, Any]) -> httpx.Response:
        node, verb = self.nodes[name], body["target"]
        allowed, way = PATHS[verb]
        if node["provision_state"] not in allowed:
            return _error(
                400,
                f'The requested action "{verb}" can not be performed on node "{node["uuid"]}" while it is'
                f' in state "{node["provision_state"]}".',
            )
        if (name, verb) in self.refusing:
            return _error(500, self.refusing[name, verb])
        self.asked.append((name, verb))
        node["last_error"] = None
        if verb == "abort":
            state = {"inspect wait": "inspect failed", "clean wait": "clean failed"}[node["provision_state"]]
            self._way.pop(name, None)
            self._enter(node, state)
            return httpx.Response(202)
        if verb == "active":
            assert node["instance_info"].get("image_source"), "deployed without an image"
            self.drives[name] = body["configdrive"]
        states = way.split(",")
        if node["provision_state"] in ("inspect failed", "clean failed", "available") and verb == "manage":
            states = ["manageable"]
        if verb == "deleted":  # whatever hung is gone with the boot
            self.hanging.discard((name, "active"))
        self._enter(node, states[0])
        self._way[name] = (verb, states[1:])
        return httpx.Response(202)

    def _tick(self) -> None:
        for name, (verb, states) in list(self._way.items()):
            node = self.nodes.get(name)
            if node is None or not states:
                self._way.pop(name, None)
                continue
            if (name, verb) in self.hanging and "wait" in node["provision_state"]:
                continue
            if states == ["reason"]:
                self._explain(name, verb)
                states.clear()
                continue
            state = states.pop(0)
            if not states and (name, verb) in self.failing:
                # The real one shows the state first, and writes the reason when it has cleaned up.
                self._enter(node, FAILED[verb])
                node["reservation"] = "lab"
                states.append("reason")
                continue
            self._arrive(name, verb, state)

    def _explain(self, name: str, verb: str) -> None:
        node, reason = self.nodes[name], self.failing[name, verb]
        node.update(reservation=None, last_error=reason)
        if verb == "provide":
            node.update(maintenance=True, fault="clean failure", maintenance_reason=reason)

    def _arrive(self, name: str, verb: str, state: str) -> None:
        node = self.nodes[name]
        self._enter(node, state)
        if state == "manageable":
            node["power_state"] = "power off"
            if verb == "inspect":
                self.inventories[name] = _inventory(self.machines[name])
        elif state == "cleaning":
            node["instance_info"] = {}
        elif state == "available":
            node["power_state"] = "power off"
        elif state == "active":
            node["power_state"] = "power on"

    @staticmethod
    def _enter(node: dict[str, Any], state: str) -> None:
        node["provision_state"] = state
        node["provision_updated_at"] = datetime.now(UTC).isoformat()


def _inventory(machine: Machine) -> dict[str, Any]:
    return {
        "inventory": {
            "interfaces": [{"name": f"eth{i}", "mac_address": mac} for i, mac in enumerate(machine.macs)],
            "system_vendor": {"product_name": "simulated machine", "serial_number": machine.serial},
            "boot": {"current_boot_mode": "bios"},
        },
        "plugin_data": {},
    }


def _error(status: int, text: str) -> httpx.Response:
    fault = {"faultcode": "Client", "faultstring": text, "debuginfo": None}
    return httpx.Response(status, json={"error_message": json.dumps(fault)})
