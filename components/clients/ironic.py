"""OpenStack Ironic's API, the part that a rack needs.

Owns HTTP to Ironic: TLS by the region's CA, basic authentication, a pinned microversion, retries where
repeating is safe, and errors that name the node. Deliberately does not decide anything: what to do in
which state is the caller's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from components.clients.ironic_model import NODE_FIELDS, Inventory, Node
from components.clients.secrets import Credentials
from components.errors import DeviceError, Problem

LOG = logging.getLogger(__name__)

MICROVERSION = "1.81"
"""The oldest that has all we use (node inventory), so that older and newer Ironics answer alike."""
ATTEMPTS = 8
FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 5.0
PAGE = 1000
CONNECTIONS = 8
"""Kept open at a time. Ironic's own API server works on 10 requests, keeps 10 connections and lets 5 wait in line
(cheroot's defaults, which it leaves as they are): with 32, some were reset. Who finds none free waits here."""


class IronicError(DeviceError):
    """Ironic cannot be reached, or refused a request. `reason` is its own text."""

    def __init__(self, reason: str, problem: Problem, status: int | None = None) -> None:
        super().__init__(problem.message, [problem])
        self.reason = reason
        self.status = status


class Ironic:
    """A client for one Ironic; safe to share between many tasks."""

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        *,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self.url = url
        self._pause_s = first_pause_s
        self._http = httpx.AsyncClient(
            base_url=url,
            auth=httpx.BasicAuth(credentials.username, credentials.password) if credentials else None,
            headers={"X-OpenStack-Ironic-API-Version": MICROVERSION, "Accept": "application/json"},
            verify=tls or True,
            timeout=httpx.Timeout(60, connect=5, pool=None),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            transport=transport,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    # Nodes

    async def node(self, name: str) -> Node | None:
        """The node of this name, if Ironic knows it."""
        data = await self._get(f"/v1/nodes/{name}", fields=",".join(NODE_FIELDS))
        return Node.from_api(data) if data is not None else None

    async def nodes(self) -> dict[str, Node]:
        """Every node by name, in as few requests as there are pages."""
        found: dict[str, Node] = {}
        marker: dict[str, str] = {}
        while True:
            data = await self._get("/v1/nodes", fields=",".join(NODE_FIELDS), limit=str(PAGE), **marker)
            page = [Node.from_api(n) for n in (data or {}).get("nodes", [])]
            found.update({node.name: node for node in page})
            if not page or not (data or {}).get("next"):
                return found
            marker = {"marker": page[-1].uuid}

    async def create_node(self, body: Mapping[str, Any]) -> Node:
        """Enrol a node; its `name` is the natural key."""
        return Node.from_api(await self._send("POST", "/v1/nodes", str(body["name"]), json=body))

    async def update_node(self, name: str, values: Mapping[str, Any]) -> Node:
        """Set fields, by path: `{"/driver_info/redfish_address": ...}`; the node as it is then."""
        patch = [{"op": "add", "path": path, "value": value} for path, value in values.items()]
        return Node.from_api(await self._send("PATCH", f"/v1/nodes/{name}", name, json=patch))

    async def delete_node(self, name: str) -> None:
        """Forget a node; tolerates absence."""
        await self._send("DELETE", f"/v1/nodes/{name}", name, absent_ok=True)

    async def inventory(self, name: str) -> Inventory | None:
        """What the agent reported, if the node was inspected."""
        data = await self._get(f"/v1/nodes/{name}/inventory")
        return Inventory.from_api(data["inventory"]) if data is not None else None

    # Ports

    async def ports(self, name: str) -> frozenset[str]:
        """MAC addresses of the node's ports."""
        data = await self._get("/v1/ports", node=name, fields="address")
        return frozenset(port["address"].lower() for port in (data or {}).get("ports", []))

    async def create_port(self, node: Node, address: str, *, boots: bool) -> None:
        """Register a NIC; `boots` is for the one on the provisioning network."""
        body = {"node_uuid": node.uuid, "address": address, "pxe_enabled": boots}
        await self._send("POST", "/v1/ports", node.name, json=body)

    # States

    async def provision(self, name: str, target: str, *, config_drive: Mapping[str, Any] | None = None) -> None:
        """Ask for a provision verb: `manage`, `inspect`, `provide`, `active`, `deleted`, `abort`."""
        body: dict[str, Any] = {"target": target}
        if config_drive is not None:
            body["configdrive"] = dict(config_drive)
        await self._send("PUT", f"/v1/nodes/{name}/states/provision", name, json=body)

    async def power(self, name: str, target: str) -> None:
        """Ask for `power on` or `power off`."""
        await self._send("PUT", f"/v1/nodes/{name}/states/power", name, json={"target": target})

    async def end_maintenance(self, name: str) -> None:
        """Let Ironic work on the node again."""
        await self._send("DELETE", f"/v1/nodes/{name}/maintenance", name)

    # HTTP

    async def _get(self, path: str, **query: str) -> dict[str, Any] | None:
        response = await self._request("GET", path, params=query, repeatable=True)
        if response.status_code == 404:
            return None
        return self._accepted(response, path.rpartition("/nodes/")[2] or path).json()

    async def _send(self, method: str, path: str, name: str, *, json: Any = None, absent_ok: bool = False) -> Any:
        response = await self._request(method, path, json=json, repeatable=False)
        if absent_ok and response.status_code == 404:
            return None
        self._accepted(response, name)
        return response.json() if response.content else None

    async def _request(self, method: str, path: str, *, repeatable: bool, **arguments: Any) -> httpx.Response:
        """One request, again while Ironic says "not now", and after a broken connection if `repeatable`."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                response = await self._http.request(method, path, **arguments)
            except httpx.TransportError as error:
                # A request that acts may have arrived although its answer did not, once there was a connection.
                was_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if last or (was_sent and not repeatable):
                    raise self._unreachable(error) from error
            else:
                if last or not _is_not_now(response):
                    return response
            pause = min(LONGEST_PAUSE_S, self._pause_s * 2 ** (attempt - 1))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        raise AssertionError("the last attempt returns or raises")

    def _accepted(self, response: httpx.Response, name: str) -> httpx.Response:
        if response.is_success:
            return response
        reason = _reason(response)
        LOG.warning("%s: Ironic answered %d: %s", name, response.status_code, reason)
        if response.status_code in (401, 403):
            problem = Problem(
                path=self.url,
                message="Ironic refused our credentials",
                found=f"HTTP {response.status_code}",
                remedy="correct the file that `credentials.ironic` names in region.yaml",
                rule="ironic-credentials",
            )
        else:
            problem = Problem(
                path=name,
                message="Ironic refused a request",
                found=f"HTTP {response.status_code}: {reason}",
                remedy="docs/runbooks/HostDoesNotDeploy.md",
                rule="ironic-refused",
            )
        raise IronicError(reason, problem, response.status_code)

    def _unreachable(self, error: httpx.TransportError) -> IronicError:
        reason = str(error) or type(error).__name__
        problem = Problem(
            path=self.url,
            message="Ironic does not answer",
            found=reason,
            allowed="an Ironic API, its certificate signed by the region's CA",
            remedy="start it (in the lab: `python -m lab up`), or correct `services.ironic` in region.yaml",
            rule="ironic-unreachable",
        )
        return IronicError(reason, problem)


def _is_not_now(response: httpx.Response) -> bool:
    """No worker free (503), or another operation holds the node (409): neither has done anything."""
    return response.status_code == 503 or (response.status_code == 409 and "locked" in _reason(response))


def _reason(response: httpx.Response) -> str:
    """Ironic's own sentence; it comes as JSON in a string in JSON, or as an object."""
    try:
        message: Any = response.json()["error_message"]
        if isinstance(message, str):
            message = json.loads(message)
        return str(message["faultstring"])
    except (ValueError, KeyError, TypeError):
        return response.text[:500]
