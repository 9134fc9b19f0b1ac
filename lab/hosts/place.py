"""Where a machine keeps its things, and what it knows about itself.

`facts.json` is what the lab's wiring says about the machine, written at power on. The running machine
finds the same file at /run/lab-platform/machine.json, as a real one finds DMI.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.home import Home, write_atomically


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Hardware of one machine."""

    name: str
    serial: str
    bmc_address: str
    disk_gib: int
    memory_mib: int
    gpus: int
    macs: dict[str, str]
    """MAC of each network port by its name."""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "serial": self.serial,
            "bmc_address": self.bmc_address,
            "disk_gib": self.disk_gib,
            "memory_mib": self.memory_mib,
            "gpus": self.gpus,
            "nics": [{"name": name, "mac": mac} for name, mac in self.macs.items()],
        }


@dataclass(frozen=True, kw_only=True)
class Place:
    """Directory of one machine."""

    home: Home
    name: str

    @property
    def directory(self) -> Path:
        return self.home.path / "hosts" / self.name

    @property
    def unit(self) -> str:
        """Name of the machine's process and control groups."""
        return f"machine-{self.name}"

    @property
    def chassis(self) -> str:
        """Name space that holds the machine's ports while it has no power."""
        return f"{self.name}-chassis"

    @property
    def disk(self) -> Path:
        return self.directory / "disk.img"

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    @property
    def firmware_told(self) -> Path:
        """How far the firmware came since the power was given: empty if it boots, else why it does not."""
        return self.directory / "firmware"

    @property
    def log(self) -> Path:
        """What the supervisor itself has to say; nothing, if all is well."""
        return self.directory / "supervisor.log"

    @property
    def facts_file(self) -> Path:
        return self.directory / "facts.json"

    @property
    def ramdisks(self) -> Path:
        """Unpacked ramdisks by content, shared by all machines."""
        return self.home.path / "hosts" / "ramdisks"

    def write_facts(self, facts: Facts) -> None:
        write_atomically(self.facts_file, json.dumps(facts.as_json(), indent=1) + "\n")

    def facts(self) -> Facts:
        raw = json.loads(self.facts_file.read_text())
        macs = {nic["name"]: nic["mac"] for nic in raw.pop("nics")}
        return Facts(macs=macs, **raw)

    def make_disk(self, gib: int) -> None:
        """An empty disk, unless the machine has one; a disk that the wiring made larger grows."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.disk.touch(mode=0o600)  # it will hold the host's private keys
        with self.disk.open("ab") as disk:
            if disk.tell() < gib << 30:
                disk.truncate(gib << 30)
