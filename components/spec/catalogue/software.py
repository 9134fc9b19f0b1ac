"""Software sets: versions on a host that fit each other; together they are the compatibility matrix."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.tray import GpuArchitecture
from components.spec.catalogue.types import Minor, PartVersion
from components.spec.types import Name


class Kernel(Model):
    """The Linux kernel of a host."""

    at_least: Minor
    """The oldest that is accepted."""
    flavour: str
    """Package that brings it."""
    page_kib: Literal[4, 64]
    """Size of a memory page, KiB; images are built for one of them."""


class KubernetesRange(Model):
    """Minor versions of Kubernetes, both ends included."""

    oldest: Minor
    newest: Minor

    def holds(self, version: str) -> bool:
        """Whether this version, two or three numbers, is inside."""
        minor = _numbers(version)[:2]
        return _numbers(self.oldest) <= minor <= _numbers(self.newest)


class SoftwareSet(CatalogueItem):
    """What runs on hosts with GPUs of some generations."""

    name_key: ClassVar[str] = "software"
    text_facts: ClassVar[frozenset[str]] = frozenset(
        {"kernel.at_least", "driver", "imex", "doca", "cuda", "fabric_manager", "kubernetes", "containerd"}
    )

    software: Name
    """Name of the set; equal to the file's name."""
    os: Name
    """Distribution and release, as images say it: `ubuntu-2404`."""
    arch: Literal["x86_64", "aarch64"]
    kernel: Kernel
    gpu_architectures: Annotated[tuple[GpuArchitecture, ...], Field(min_length=1)]
    """Generations of GPUs that the driver drives."""
    driver: PartVersion
    """NVIDIA driver, exact."""
    driver_modules: Literal["open", "proprietary", "stand-in"]
    """Which kernel modules: Blackwell has only open ones; a stand-in drives nothing."""
    imex: PartVersion | None = None
    """Daemon that shares memory between trays of one NVLink domain: always the driver's version."""
    fabric_manager: PartVersion | None = None
    """Of servers with NVSwitches of their own: always the driver's version."""
    doca: PartVersion | None = None
    """DOCA-Host: drivers of the network cards."""
    cuda: PartVersion | None = None
    """Newest toolkit that the driver was tested with."""
    kubernetes: KubernetesRange
    containerd: Annotated[tuple[Minor, ...], Field(min_length=1)]
    """Minor versions."""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
