"""Racks and the trays in them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Id, Interface, Mac, Name, Serial


class Role(StrEnum):
    """What a tray is for."""

    CONTROL_PLANE = "control_plane"
    """Runs the Kubernetes control plane and nothing of tenants."""
    GPU_WORKER = "gpu_worker"
    """Runs what tenants ask for."""
    SPARE = "spare"
    """Enrolled, inspected, wiped, and powered off until it takes another's place."""


class Place(Model):
    """Where a rack stands."""

    hall: Name
    row: Annotated[int, Field(ge=1, le=999)]
    """From 1, as painted on the floor."""
    position: Annotated[int, Field(ge=1, le=999)]
    """Place in the row, from 1."""


class Tray(Model):
    """One compute tray, known by its serial number."""

    slot: Annotated[int, Field(ge=1, le=64)]
    """Place in the rack, from the profile's first slot; it decides ports and addresses."""
    role: Role
    serial: Serial | None = None
    """Absent until the tray is received: it is planned and shown, and nothing is done to it."""
    macs: tuple[Mac, ...] = ()
    """One for each network card of the profile, in its order; none until the tray is received."""
    bmc_mac: Mac | None = None
    """Of the tray's BMC, where it is known; DHCP and NICo know the BMC by it."""
    gpus_of: Name | None = None
    """Kind of rack whose GPUs this tray has, where they are not those of its rack's kind: servers of one make with
    other cards. All else of the tray is as the rack's kind says."""


class Rack(Model):
    """The unit of change."""

    name: Name
    id: Id
    """Stable; addresses of its hosts follow from it."""
    profile: Name
    """Kind of rack, a file of the catalogue."""
    leaves: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Leaf switches, one for each uplink card of a tray, in the cards' order."""
    first_leaf_port: Interface = "swp1"
    """Port of slot 1 on these leaves; the other slots follow."""
    leaf_lanes: Annotated[int, Field(ge=1, le=8)] = 1
    """Hosts that share a port of the leaves by a breakout cable: swp1s0 to swp1s3 with 4."""
    place: Place | None = None
    """Where it stands; by default its id counts places over the halls of the site, row by row."""
    image: Name
    """Which of `images` its hosts get."""
    protect: bool
    """Whether deleting the rack is refused; true for every rack that serves anyone."""
    trays: Annotated[tuple[Tray, ...], Field(min_length=1)]
