"""Rack profiles: facts of a kind of rack, kept in the catalogue and shared by regions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Interface, Name


class TrayProfile(Model):
    """What every compute tray of this kind of rack has."""

    arch: Literal["x86_64", "aarch64"]
    boot_mode: Literal["bios", "uefi"]
    bmc_scheme: Literal["http", "https"]
    """Scheme of the Redfish service."""
    disk_gib: Annotated[int, Field(ge=1)]
    """Of the disk that the image goes to."""
    memory_mib: Annotated[int, Field(ge=512)]
    gpus: Annotated[int, Field(ge=0, le=16)]
    gpu_model: str
    """As people call it."""
    nics: Annotated[tuple[Interface, ...], Field(min_length=2)]
    """Network cards in the order of a tray's `macs`: the first is out-of-band, the others are uplinks."""
    cgroup_version: Literal[1, 2]
    """Of the kernel; kubelet must be told where it is not 2."""
    limited_oom_score: bool
    """Whether processes lack CAP_SYS_RESOURCE and so cannot lower their OOM score."""


class RackProfile(Model):
    """A kind of rack."""

    profile: Name
    """Name that racks refer to; equal to the file's name."""
    simulated: bool
    """Whether the hardware is played by programs."""
    slots: Annotated[int, Field(ge=1, le=64)]
    """Compute trays that fit."""
    tray: TrayProfile
