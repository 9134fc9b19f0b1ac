"""What of the lab is there now. Looks only; takes no lock and mends nothing."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from lab import devices, faults, links, processes
from lab.bmc.server import PORT as BMC_PORT
from lab.context import Lab
from lab.home import owner
from lab.services import dns, ntp
from lab.wiring import Machine, Switch


@dataclass(frozen=True, kw_only=True)
class DeviceStatus:
    """A switch or a machine."""

    name: str
    kind: str
    address: str
    """Where it is managed: a switch by SSH, a machine by its BMC."""
    power: bool
    carrier: Mapping[str, bool]
    pulled: tuple[str, ...]
    """Ports whose cable was pulled on purpose."""


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """A server of the lab."""

    name: str
    running: bool
    """The lab started it and it lives."""
    answers: bool
    where: str


@dataclass(frozen=True, kw_only=True)
class LabStatus:
    """The whole lab."""

    owner: str | None
    network: bool
    """The out-of-band bridge and all name spaces exist."""
    devices: tuple[DeviceStatus, ...]
    services: tuple[ServiceStatus, ...]

    @property
    def is_up(self) -> bool:
        """Whether `up` would find nothing to do, as far as one can see from here."""
        switches = all(d.power for d in self.devices if d.kind == "switch")
        return self.network and switches and all(s.running and s.answers for s in self.services)

    def as_json(self) -> dict[str, Any]:
        return {"up": self.is_up, **asdict(self)}


def look(lab: Lab) -> LabStatus:
    """Look at every part."""
    wiring = lab.wiring
    home = owner()
    network_there = wiring.oob.bridge in links.interfaces() and all(
        links.namespace_exists(s.name) for s in wiring.switches
    )
    return LabStatus(
        owner=str(home) if home else None,
        network=network_there,
        devices=tuple(_device(lab, device) for device in (*wiring.switches, *wiring.machines)),
        services=_services(lab),
    )


def _device(lab: Lab, device: Switch | Machine) -> DeviceStatus:
    carrier = devices.ports(device)
    return DeviceStatus(
        name=device.name,
        kind="switch" if isinstance(device, Switch) else "machine",
        address=str(device.oob_address if isinstance(device, Switch) else device.bmc_address),
        power=devices.is_on(lab, device),
        carrier=carrier,
        pulled=tuple(port for port in carrier if faults.is_pulled(device.name, port)),
    )


def _services(lab: Lab) -> tuple[ServiceStatus, ...]:
    at = lab.wiring.services
    address = str(at.address)
    tcp = [("web", address, at.images), ("registry", address, at.registry), ("s3", address, at.s3)]
    tcp += [("registry-tokens", address, at.registry_tokens), ("ironic", address, at.ironic)]
    if lab.wiring.machines:  # all of them are one server: the first answers for all
        tcp.append(("bmc", str(lab.wiring.machines[0].bmc_address), BMC_PORT))
    found = [
        ServiceStatus(name=name, running=_runs(name), answers=_accepts(host, port), where=f"{host}:{port}")
        for name, host, port in tcp
    ]
    for name, port, asks in (
        ("dns", dns.PORT, lambda: dns.answers(address, f"ns.{lab.wiring.domain}")),
        ("ntp", ntp.PORT, lambda: ntp.answers(address)),
    ):
        answers = False
        with contextlib.suppress(OSError):
            answers = asks()
        found.append(ServiceStatus(name=name, running=_runs(name), answers=answers, where=f"{address}:{port}/udp"))
    return tuple(found)


def _runs(name: str) -> bool:
    return processes.pid_of(name) is not None


def _accepts(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


_STATES = {
    (True, True): "[green]answers[/]",
    (True, False): "[red]silent[/]",
    (False, False): "[red]not running[/]",
    (False, True): "[red]not running, but another program answers[/]",
}
"""By whether the lab's server lives, and whether anybody answers at its address."""


def show(status: LabStatus) -> None:
    """For a person."""
    console = Console(highlight=False)
    console.print(f"lab of {status.owner}" if status.owner else "no lab on this machine")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("device", "kind", "managed at", "power", "ports with carrier"):
        table.add_column(column)
    for device in status.devices:
        lit = sum(device.carrier.values())
        pulled = f", pulled: {' '.join(device.pulled)}" if device.pulled else ""
        power = "[green]on[/]" if device.power else "off"
        table.add_row(device.name, device.kind, device.address, power, f"{lit} of {len(device.carrier)}{pulled}")
    console.print(table)
    services = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("service", "at", "state"):
        services.add_column(column)
    for service in status.services:
        services.add_row(service.name, service.where, _STATES[service.running, service.answers])
    console.print(services)
