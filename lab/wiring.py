"""What is plugged into what: the strict reading of wiring.json.

The file is written by whoever describes the region; the lab only builds it. All faults are
reported at once, before anything is touched.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lab.errors import WiringError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,12}$")]
"""A device. It becomes a network name space and, with two more letters, an interface (15 at most)."""
PortName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,14}$")]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]
TcpPort = Annotated[int, Field(ge=1, le=65535)]

EDGE = "edge"
"""The device that stands for the bench machine itself in a cable."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Oob(_Model):
    """The out-of-band network."""

    network: IPv4Network
    gateway: IPv4Address
    """Address of the bench machine in it."""
    bridge: PortName


class Nic(_Model):
    """A network port of a machine."""

    name: PortName
    mac: Mac
    oob: bool
    """Plugged into the out-of-band network; otherwise by a cable into a switch."""


class Machine(_Model):
    """A bare-metal machine with its BMC."""

    name: Name
    serial: str
    bmc_address: IPv4Address
    disk_gib: int = Field(gt=0)
    memory_mib: int = Field(gt=0)
    gpus: int = Field(ge=0)
    nics: tuple[Nic, ...] = Field(min_length=1)


class Switch(_Model):
    """A network switch."""

    name: Name
    role: Literal["spine", "leaf"]
    oob_address: IPv4Address
    ports: tuple[PortName, ...] = Field(min_length=1)


class End(_Model):
    """One end of a cable, written as [device, port]."""

    device: str
    port: PortName

    @model_validator(mode="before")
    @classmethod
    def _read_pair(cls, value: object) -> object:
        match value:
            case [str(device), str(port)]:
                return {"device": device, "port": port}
            case _:
                return value

    def __str__(self) -> str:
        return f"{self.device} {self.port}"


class Cable(_Model):
    """A cable between two ports."""

    a: End
    b: End


class Edge(_Model):
    """A link from the bench machine into the fabric."""

    port: PortName
    address: IPv4Interface
    via: IPv4Address
    """Next hop: the leaf's address on this link."""


class ServicePorts(_Model):
    """Where the region's services listen."""

    address: IPv4Address
    ironic: TcpPort
    images: TcpPort
    apt: TcpPort
    registry: TcpPort
    registry_tokens: TcpPort
    s3: TcpPort


class Cluster(_Model):
    """What services must know of the cluster that will run on the machines."""

    keys: str
    """URL of the public keys that verify tokens of its ServiceAccounts (JWKS)."""
    issuer: str
    """Who these tokens say issued them."""


class Wiring(_Model):
    """The whole datacenter around and below the lab's machines."""

    name: Name
    domain: str = Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")
    oob: Oob
    machines: tuple[Machine, ...]
    switches: tuple[Switch, ...]
    cables: tuple[Cable, ...]
    edges: tuple[Edge, ...]
    edge_routes: tuple[IPv4Network, ...]
    """What the bench machine reaches through its edge links."""
    records: dict[str, IPv4Address]
    """Names in the domain."""
    services: ServicePorts
    cluster: Cluster

    @property
    def device_names(self) -> tuple[str, ...]:
        return tuple(d.name for d in (*self.switches, *self.machines))

    def machine(self, name: str) -> Machine | None:
        return next((m for m in self.machines if m.name == name), None)

    def switch(self, name: str) -> Switch | None:
        return next((s for s in self.switches if s.name == name), None)

    def peer(self, device: str, port: str) -> End | None:
        """What the other end of a port's cable is plugged into."""
        for cable in self.cables:
            for here, there in ((cable.a, cable.b), (cable.b, cable.a)):
                if (here.device, here.port) == (device, port):
                    return there
        return None


def load(path: Path) -> Wiring:
    """Read and check a wiring file."""
    try:
        raw = json.loads(path.read_text())
    except FileNotFoundError:
        raise WiringError(
            "the lab's wiring is not there",
            found=f"no file {path}",
            remedy=f"write it from the region's description: region export lab --wiring {path}",
        ) from None
    except ValueError as error:
        raise WiringError(f"{path} is not JSON", found=str(error), remedy="export it again") from None
    return parse(raw, source=str(path))


def parse(raw: object, source: str = "wiring") -> Wiring:
    """Check a wiring that was read already."""
    try:
        wiring = Wiring.model_validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        faults = [f"{_where(e['loc'])}: {e['msg']}, found {e['input']!r}" for e in error.errors()]
        raise _refusal(source, faults) from None
    faults = list(_faults(wiring))
    if faults:
        raise _refusal(source, faults)
    return wiring


def _refusal(source: str, faults: list[str]) -> WiringError:
    return WiringError(
        f"{source} describes a lab that cannot be built",
        details=faults,
        remedy="mend the region's description and export the wiring again",
    )


def _where(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "file"


def _faults(wiring: Wiring) -> Iterator[str]:
    yield from _repeated("name of a device", [*wiring.device_names, EDGE])
    yield from _repeated("serial", [m.serial for m in wiring.machines])
    yield from _repeated("MAC", [n.mac for m in wiring.machines for n in m.nics])
    yield from _repeated("out-of-band address", [str(a) for a in _oob_addresses(wiring)])
    for address in _oob_addresses(wiring):
        if address not in wiring.oob.network:
            yield f"address {address} is outside the out-of-band network {wiring.oob.network}"
    if wiring.services.address != wiring.oob.gateway:
        yield f"services.address: found {wiring.services.address}, allowed the gateway {wiring.oob.gateway}"
    yield from _cable_faults(wiring)
    for number, edge in enumerate(wiring.edges):
        if edge.via not in edge.address.network or edge.via == edge.address.ip:
            yield f"edges[{number}].via: {edge.via} is not the other address of {edge.address.network}"


def _cable_faults(wiring: Wiring) -> Iterator[str]:
    ports = {(s.name, p) for s in wiring.switches for p in s.ports}
    ports |= {(m.name, n.name) for m in wiring.machines for n in m.nics if not n.oob}
    ports |= {(EDGE, e.port) for e in wiring.edges}
    for number, cable in enumerate(wiring.cables):
        for key, end in (("a", cable.a), ("b", cable.b)):
            if (end.device, end.port) not in ports:
                yield f"cables[{number}].{key}: there is no port {end} to plug a cable into"
        if cable.a.device == cable.b.device:
            yield f"cables[{number}]: both ends are on {cable.a.device}"
    yield from _repeated("port of a cable", [str(end) for c in wiring.cables for end in (c.a, c.b)])
    for edge in wiring.edges:
        if wiring.peer(EDGE, edge.port) is None:
            yield f"edges: {edge.port} has no cable"


def _oob_addresses(wiring: Wiring) -> list[IPv4Address]:
    return [
        wiring.oob.gateway,
        *(s.oob_address for s in wiring.switches),
        *(m.bmc_address for m in wiring.machines),
    ]


def _repeated(what: str, values: Iterable[str]) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{what} {value} is used {count} times"
