"""A rack's project, its hardware in memory, and runs of the provider, for tests of a rack's life."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from components.clients.hostkeys import ensure_host_key
from components.clients.ironic import Ironic
from components.engine.journal import Journal
from components.provider.handler import Context
from components.provider.rack import RackHandler
from tests.fake_ironic import FakeIronic, KilledError, Machine

CA = Path(__file__).parent / "fixtures" / "ca.crt"
SHA = "a" * 64
TRAYS = {"r01-t01": "active", "r01-t02": "active", "r01-t03": "available"}
REACHED = {"r01-t01": "active", "r01-t02": "active", "r01-t03": "available"}


def inputs(project: Path) -> dict[str, Any]:
    return {
        "rack": "r01",
        "protect": False,
        "ironic": {"url": "https://ironic.test:6385", "credentials": "file:ironic.json", "ca": "file:ca.crt"},
        "bmc_credentials": "file:bmc.json",
        "bmc_ca": "file:ca.crt",
        "image": {"name": "base", "url": "http://images.test/base.raw", "sha256": SHA, "format": "raw"},
        "trays": {name: tray(number, desired) for number, (name, desired) in enumerate(TRAYS.items(), 1)},
        "ssh_key": "file:ssh_key",
        "ntp": ["172.30.0.1"],
        "deploy_timeout_s": 5,
    }


def tray(number: int, desired: str) -> dict[str, Any]:
    return {
        "serial": f"SERIAL{number}",
        "bmc_url": f"https://172.30.0.{128 + number}:443",
        "boot_mode": "bios",
        "macs": {f"eth{nic}": f"02:00:00:00:0{number}:0{nic}" for nic in range(3)},
        "desired": desired,
        "oob": {"address": f"172.30.0.{64 + number}", "prefix": 24, "gateway": "172.30.0.1"},
        "hostname": f"r01-t0{number}",
        "dns": ["172.30.0.1"],
    }


class World:
    """The project, the rack's hardware, and runs of the provider."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.inputs = inputs(project)
        machines = {n: Machine(t["serial"], tuple(t["macs"].values())) for n, t in self.inputs["trays"].items()}
        self.ironic = FakeIronic(machines=machines)
        self.reports: list[str] = []
        self.outputs: dict[str, Any] = {}
        self.silent_bmcs: set[str] = set()
        self.secret("ironic.json", json.dumps({"username": "region", "password": "ironic-secret"}))
        self.secret("bmc.json", json.dumps({"username": "operator", "password": "bmc-secret"}))
        self.secret("ssh_key", ensure_host_key(project / "keys" / "made", "operator").private)
        (project / "ca.crt").write_text(CA.read_text())

    def secret(self, name: str, content: str) -> None:
        path = self.project / name
        path.touch(0o600)
        path.write_text(content)

    def handler(self) -> RackHandler:
        return RackHandler(factory=lambda rack, context: self.client(), poll_s=0)

    def client(self) -> Ironic:
        return Ironic("https://ironic.test:6385", None, transport=self.ironic.transport(), first_pause_s=0)

    def journal(self) -> Journal:
        return Journal.open(self.project / ".region" / "lab" / "journal.db", scope="lab.substrate", wait_s=0)

    def context(self, journal: Journal) -> Context:
        return Context(project=self.project, region="lab", journal=journal, report=self.reports.append)

    async def create(self) -> dict[str, Any]:
        with self.journal() as journal:
            created = await self.handler().create("r01", self.inputs, self.context(journal))
        self.outputs = created.outputs["trays"]
        return self.outputs

    async def update(self, new: dict[str, Any]) -> dict[str, Any]:
        with self.journal() as journal:
            outputs = await self.handler().update("r01", self.inputs, new, self.context(journal))
        self.inputs, self.outputs = new, outputs["trays"]
        return self.outputs

    async def read(self) -> dict[str, Any]:
        """A refresh of a rack that is there."""
        state = copy.deepcopy(self.inputs)
        for name, output in self.outputs.items():
            state["trays"][name] |= output
        with self.journal() as journal:
            found = await self.handler().read("r01", state, self.context(journal))
        assert found is not None
        self.outputs = found["trays"]
        return self.outputs

    async def delete(self) -> None:
        with self.journal() as journal:
            await self.handler().delete("r01", self.inputs, self.context(journal))

    def undeploy(self, name: str) -> None:
        """What a colleague does by hand in Ironic."""
        self.ironic.nodes[name].update(provision_state="available", power_state="power off", instance_info={})

    def states(self) -> dict[str, str]:
        return {name: node["provision_state"] for name, node in self.ironic.nodes.items()}

    def changed(self, **trays: Any) -> dict[str, Any]:
        return copy.deepcopy(self.inputs) | trays


class Killer:
    """Raises KilledError at one request, once."""

    def __init__(self, number: int, when: str) -> None:
        self.at = (number, when)
        self.done = False

    def __call__(self, number: int, when: str) -> None:
        if not self.done and (number, when) == self.at:
            self.done = True
            raise KilledError


def records(world: World) -> list[Any]:
    return Journal.read_history(world.project / ".region" / "lab" / "journal.db", limit=1000)
