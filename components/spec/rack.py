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


class Tray(Model):
    """One compute tray, known by its serial number."""

    slot: Annotated[int, Field(ge=1, le=64)]
    """Place in the rack, from the profile's first slot; it decides ports and addresses."""
    role: Role
    serial: Serial
    macs: Annotated[tuple[Mac, ...], Field(min_length=1)]
    """One for each network card of the profile, in its order."""


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
    image: Name
    """Which of `images` its hosts get."""
    protect: bool
    """Whether deleting the rack is refused; true for every rack that serves anyone."""
    trays: Annotated[tuple[Tray, ...], Field(min_length=1)]
