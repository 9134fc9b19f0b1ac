"""Inputs of a Rack, typed and checked.

Owns their shape. Pure: a check names every problem and reaches nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from components.errors import Problem
from components.spec.base import Model
from components.spec.position import Positions
from components.spec.problems import problems_of
from components.spec.types import HostInterface, Mac, Name, SecretReference, Serial, Url

Address = Annotated[IPv4Address, Field(strict=False)]


class IronicAccess(Model):
    """How Ironic is reached."""

    url: Url
    credentials: SecretReference
    ca: SecretReference
    """Certificate that its own is signed by; also given to hosts as the region's CA."""


class Image(Model):
    """The whole-disk image of a rack."""

    name: str
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    format: Literal["raw", "qcow2"]


class OobAddress(Model):
    """A tray's address on the out-of-band network."""

    address: Address
    prefix: Annotated[int, Field(ge=1, le=32)]
    gateway: Address

    @property
    def netmask(self) -> str:
        """Dotted, as network_data.json wants it."""
        return str(IPv4Interface(f"{self.address}/{self.prefix}").netmask)


class Tray(Model):
    """One compute tray and what it shall be."""

    serial: Serial
    bmc_url: Url
    boot_mode: Literal["bios", "uefi"]
    macs: Annotated[dict[HostInterface, Mac], Field(min_length=1)]
    """By interface name; the first is on the out-of-band network."""
    desired: Literal["active", "available"]
    """`active`: the image runs. `available`: enrolled, cleaned and powered off."""
    oob: OobAddress
    hostname: Name
    dns: Annotated[tuple[Address, ...], Field(strict=False)] = ()

    @property
    def oob_nic(self) -> tuple[str, str]:
        """Name and MAC of the NIC on the out-of-band network."""
        return min(self.macs.items())


class RackInputs(Model):
    """Everything that the program says of a rack."""

    rack: Name
    protect: bool = False
    """Refuse to delete the rack."""
    ironic: IronicAccess
    bmc_credentials: SecretReference
    bmc_ca: SecretReference
    image: Image
    trays: dict[Name, Tray]
    ssh_key: SecretReference
    """Operator's private key, whose public half opens the hosts."""
    ntp: Annotated[tuple[str, ...], Field(strict=False)] = ()
    deploy_timeout_s: Annotated[float, Field(gt=0, strict=False)] = 900
    """For each step of one tray. Real machines test their memory for minutes at each start."""

    def deployment(self, name: str) -> str:
        """Digest of all that reaches a host by its image or config drive and would need a new deploy.

        Keys, DNS and time servers are left out: on a running host the playbooks own them.
        """
        tray = self.trays[name]
        content = {
            "image": self.image.sha256,
            "hostname": tray.hostname,
            "boot_mode": tray.boot_mode,
            "oob": tray.oob.model_dump(mode="json"),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check_inputs(inputs: Mapping[str, Any]) -> list[Problem]:
    """Every problem of the inputs."""
    try:
        rack = RackInputs.model_validate(dict(inputs))
    except ValidationError as error:
        return list(problems_of(error, RackInputs, Positions()))
    return [
        *_shared("MAC address", {f"trays.{n}.macs.{i}": m for n, t in rack.trays.items() for i, m in t.macs.items()}),
        *_shared("serial number", {f"trays.{n}.serial": t.serial for n, t in rack.trays.items()}),
        *_shared("BMC", {f"trays.{n}.bmc_url": t.bmc_url for n, t in rack.trays.items()}),
        *_shared("address", {f"trays.{n}.oob.address": str(t.oob.address) for n, t in rack.trays.items()}),
    ]


def _shared(what: str, values: Mapping[str, str]) -> list[Problem]:
    """A problem for each value that two trays have; they would be taken for one another."""
    first: dict[str, str] = {}
    problems: list[Problem] = []
    for path, value in values.items():
        if value in first:
            problems.append(
                Problem(
                    path=path,
                    message=f"this {what} is already that of {first[value]}",
                    found=value,
                    remedy="compare both with the labels of the trays and correct racks.yaml",
                    rule="rack-shared",
                )
            )
        first.setdefault(value, path)
    return problems
