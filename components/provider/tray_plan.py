"""What a tray's worker is given: the facts of the tray, and the tools that all trays of a rack share."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.clients.ironic import Ironic
from components.clients.ironic_watch import NodeWatch
from components.engine.admission import Admission
from components.engine.journal import Journal


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What all trays of a rack share."""

    rack: str
    ironic: Ironic
    watch: NodeWatch
    journal: Journal
    admission: Admission
    report: Callable[[str], None]
    timeout_s: float


@dataclass(frozen=True, kw_only=True)
class TrayPlan:
    """What is known of one tray before it is looked at."""

    name: str
    serial: str
    macs: frozenset[str]
    oob_mac: str
    bmc_url: str
    registration: Mapping[str, Any]
    """Fields of the Ironic node."""
    access: str
    """Digest of the access to its BMC."""
    instance: Mapping[str, Any]
    """Ironic's instance_info for the deployment."""
    config_drive: Callable[[], Mapping[str, Any]]
    """Made when it is needed: it holds a private key."""
    bmc_answers: Callable[[], Awaitable[None]]
    """Returns if the BMC lets us in; raises DeviceError if it does not."""
    host_answers: Callable[[], Awaitable[None]]
    """Returns once the deployed host answers as itself; raises DeviceError if it does not in time."""

    @property
    def identity(self) -> str:
        """Digest of what makes this machine this machine."""
        text = "\n".join([self.serial, self.bmc_url, *sorted(self.macs)])
        return hashlib.sha256(text.encode()).hexdigest()
