"""Compute trays through a stock Ironic, as far as its `redfish` hardware type does what bring-up does.

Owns the way through Ironic's API: enrol, manage, boot mode and Secure Boot, one manual cleaning without a ramdisk
(`bios.apply_configuration`), power off, provide. Everything that manages is real (lab.ironic_scale: PostgreSQL, an
API, a conductor); the trays are the simulated fleet's, over HTTPS.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from components.clients.ironic import CONNECTIONS, MICROVERSION, Ironic, IronicError
from components.clients.ironic_model import Node
from components.clients.ironic_watch import NodeWatch
from components.plan.bring_up.compile import Plan
from components.plan.bring_up.nodes import node_record
from components.spec.catalogue.bring_up import EndpointProfile
from components.spec.catalogue.firmware import Endpoint
from lab.ironic_scale.cluster import Cluster, Group, Settings, cluster, temporary_folder

LIMIT_S = 1800.0
"""For one of a node's changes of state."""
WITHOUT = (
    "power shelves, NVLink switch trays: it manages servers; DPUs could be nodes of their own, without their order",
    "passwords: it has no step for them, so this fleet was delivered with passwords that need not be changed",
    "serial number, slot, leaks: no step without a ramdisk compares them with what was delivered",
    "firmware: its `redfish` interface sends SimpleUpdate with a URL, and these BMCs take a push to "
    "MultipartHttpPushUri, as NVIDIA documents it for GB200",
    "boot order: it sets the next boot, not the order",
)
"""What of a bring-up it does not do, and why."""


def settings(compression: float, ca: Path, hardware_type: str) -> Settings:
    """As an operator would set it for machines that are so much faster: the pause between two looks at a machine that
    is busy is shortened as much, down to a second. The rest is Ironic's own."""
    return Settings(
        groups=(Group(hardware_types=hardware_type),),
        bios_interfaces="redfish",
        status_interval_s=max(1, round(Settings.status_interval_s / compression)),
        verify_ca=str(ca),
    )


@dataclass(frozen=True)
class Api:
    """Ironic's API, with what our own client has no word for."""

    ironic: Ironic
    watch: NodeWatch
    http: httpx.AsyncClient

    async def put(self, name: str, what: str, body: Mapping[str, Any]) -> None:
        """Change a state; again while Ironic is busy with the node or with others."""
        end = time.monotonic() + LIMIT_S
        while True:
            answer = await self.http.put(f"/v1/nodes/{name}/states/{what}", json=dict(body))
            if answer.is_success:
                return
            if answer.status_code not in (409, 503) or time.monotonic() > end:
                raise RuntimeError(f"HTTP {answer.status_code} to {what} {body['target']}: {answer.text[:300]}")
            await asyncio.sleep(1)

    async def until(self, name: str, *states: str) -> Node:
        """The node once Ironic has let go of it in one of these states, or has given up."""

        def is_over(node: Node | None) -> bool:
            return (
                node is not None
                and node.reservation is None
                and (
                    node.provision_state in states or node.provision_state.endswith(" failed") or bool(node.last_error)
                )
            )

        node = await self.watch.until(name, is_over, LIMIT_S)
        if node is None or node.provision_state not in states or node.last_error:
            raise RuntimeError(f"{node and node.provision_state}: {node and node.last_error}")
        return node


async def bring_up(url: str, records: list[dict[str, Any]], profile: EndpointProfile) -> dict[str, str]:
    """All nodes side by side; those that failed, with Ironic's reason."""
    ironic = Ironic(url, None)
    headers = {"X-OpenStack-Ironic-API-Version": MICROVERSION}
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=300, trust_env=False) as http:
        api = Api(ironic, NodeWatch(ironic), http)
        try:
            ended = await asyncio.gather(*(_node(api, r, profile) for r in records), return_exceptions=True)
        finally:
            await api.watch.close()
            await ironic.close()
    failed: dict[str, str] = {}
    for record, error in zip(records, ended, strict=True):
        if isinstance(error, RuntimeError | TimeoutError | IronicError | httpx.HTTPError):
            failed[record["name"]] = f"{type(error).__name__}: {error}"
        elif error is not None:
            raise error
    return failed


async def _node(api: Api, record: dict[str, Any], profile: EndpointProfile) -> None:
    name: str = record["name"]
    await api.ironic.create_node(record)
    await api.put(name, "provision", {"target": "manage"})
    await api.until(name, "manageable")
    await api.put(name, "boot_mode", {"target": "uefi"})
    await api.until(name, "manageable")
    if profile.secure_boot is not None:
        await api.put(name, "secure_boot", {"target": profile.secure_boot})
        await api.until(name, "manageable")
    wanted = [{"name": s.attribute, "value": s.value} for s in profile.bios]
    step = {"interface": "bios", "step": "apply_configuration", "args": {"settings": wanted}}
    await api.put(name, "provision", {"target": "clean", "clean_steps": [step], "disable_ramdisk": True})
    await api.until(name, "manageable")
    # A step `power_off` beside it is dropped in silence when Ironic 39.0.0 checks the steps.
    await api.put(name, "power", {"target": "power off"})
    await api.until(name, "manageable")
    await api.put(name, "provision", {"target": "provide"})
    await api.until(name, "available")


def run(plan: Plan, passwords: Mapping[str, str], ca: Path, compression: float, hardware_type: str) -> dict[str, Any]:
    """Start Ironic, have it do its part, and say what it took; its start is not counted."""
    profile = plan.bring_up.kind(Endpoint.COMPUTE_TRAY)
    records = [
        {**node_record(rack.name, tray, profile, password=passwords[tray.name], ca=str(ca)), "driver": hardware_type}
        for rack in plan.racks
        for tray in rack.endpoints
    ]
    with temporary_folder() as at, cluster(at / "ironic", settings(compression, ca, hardware_type)) as made:
        before, began = made.cpu_s(), time.monotonic()
        failed = asyncio.run(bring_up(made.url, records, profile))
        seconds = time.monotonic() - began
        return {
            "seconds": seconds,
            "cpu_s": sum(made.cpu_s().values()) - sum(before.values()),
            "rss_mib": _memory_mib(made),
            "most": settings(compression, ca, hardware_type).workers,
            "failed": failed,
        }


def _memory_mib(made: Cluster) -> float:
    return made.api.rss_mib + sum(each.rss_mib for each in made.conductors) + made.database.server.rss_mib
