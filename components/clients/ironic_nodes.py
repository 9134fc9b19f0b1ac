"""Hands trays over: records for Ironic on disk, and in Ironic where the region has one.

Owns the files `RACK.json`, in the form that `baremetal create` takes. They name passwords by reference and hold none;
Ironic is given the password itself, over TLS.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from components.clients.ironic import Ironic
from components.clients.whole_file import write_whole
from components.plan.bring_up.nodes import node_file, node_record
from components.plan.bring_up.work import EndpointWork, RackWork
from components.plan.naming import host_name
from components.spec.catalogue.bring_up import EndpointProfile


class IronicNodes:
    """The trays of a region, as Ironic knows or is going to know them."""

    def __init__(
        self,
        folder: Path,
        profile: EndpointProfile,
        *,
        ca: str,
        reference: Callable[[str, str], str],
        password: Callable[[str, str], str],
        ironic: Ironic | None = None,
    ) -> None:
        """`reference` and `password` of (rack, endpoint); `ca`: the authority's file as conductors have it."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._profile = profile
        self._ca = ca
        self._reference = reference
        self._password = password
        self._ironic = ironic

    async def write(self, rack: RackWork, trays: Sequence[EndpointWork]) -> None:
        """The file of a rack, whole or not at all."""
        records = [
            node_record(rack.name, tray, self._profile, password=self._reference(rack.name, tray.name), ca=self._ca)
            for tray in trays
        ]
        macs = {host_name(rack.name, int(tray.place)): tray.macs for tray in trays}
        text = json.dumps(node_file(records, macs), indent=1)
        await asyncio.to_thread(write_whole, self._folder / f"{rack.name}.json", text.encode())

    async def is_enrolled(self, rack: RackWork, tray: EndpointWork) -> bool:
        """Whether Ironic has this serial under this name, with all its ports. Without Ironic the record is all there
        is to have."""
        if self._ironic is None:
            return True
        name = host_name(rack.name, int(tray.place))
        node = await self._ironic.node(name)
        return node is not None and node.extra.get("serial") == tray.serial and not await self._missing(name, tray)

    async def enrol(self, rack: RackWork, tray: EndpointWork) -> None:
        """Make it known, or complete what a killed run began. Ironic refuses a second machine of the same name."""
        if self._ironic is None:
            raise AssertionError("without Ironic nothing is enrolled")
        name = host_name(rack.name, int(tray.place))
        node = await self._ironic.node(name)
        if node is None or node.extra.get("serial") != tray.serial:
            password = self._password(rack.name, tray.name)
            node = await self._ironic.create_node(
                node_record(rack.name, tray, self._profile, password=password, ca=self._ca)
            )
        for mac in await self._missing(name, tray):
            await self._ironic.create_port(node, mac, boots=mac == tray.macs[0])

    async def _missing(self, name: str, tray: EndpointWork) -> list[str]:
        """Ports that Ironic does not have."""
        known = await self._ironic.ports(name) if self._ironic else frozenset[str]()
        return [mac for mac in tray.macs if mac.lower() not in known]
