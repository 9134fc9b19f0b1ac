"""What every compute tray, or server, of one kind of rack has."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.catalogue.types import Count, GigabitPerSecond, Label, Pci, Rdma
from components.spec.types import HostInterface

GpuArchitecture = Literal["ada", "hopper", "blackwell", "blackwell-ultra", "rubin", "simulated"]
"""Generation of GPUs: it decides which drivers fit."""


class Port(Model):
    """A network port of a tray, as the host sees it."""

    name: Label
    """As people find it on the front."""
    role: Literal["compute", "inband"]
    """Which network it is cabled to: the fabric between GPUs, or that of the host and its storage."""
    speed_gbps: GigabitPerSecond
    rail: Annotated[int, Field(ge=0, le=63)] | None = None
    """Of the compute fabric: ports of one rail meet in one leaf. Only compute ports have one."""
    pci: Pci | None = None
    device: Rdma | None = None
    """RDMA device."""
    interface: HostInterface | None = None
    """Network interface, where it carries IP."""


class Disk(Model):
    """Disks of one kind."""

    role: Literal["os", "cache"]
    """The image goes to the first of `os`; `cache` holds what can be lost."""
    count: Count
    size_gb: Annotated[int, Field(ge=1)]
    """Of each, as sold: 10^9 bytes."""
    form: str
    """Form factor and bus."""


class Dpu(Model):
    """A network card with a computer of its own: it has a BMC and an operating system to manage."""

    name: Label
    model: str
    ports: Count
    speed_gbps: GigabitPerSecond
    """Of each port."""


class TrayProfile(Model):
    """What every compute tray of this kind of rack has."""

    arch: Literal["x86_64", "aarch64"]
    boot_mode: Literal["bios", "uefi"]
    bmc_scheme: Literal["http", "https"]
    """Scheme of the Redfish service."""
    disk_gib: Annotated[int, Field(ge=1)]
    """Of the disk that the image goes to."""
    memory_mib: Annotated[int, Field(ge=512)]
    """Of the host, without that of the GPUs."""
    gpus: Annotated[int, Field(ge=0, le=16)]
    gpu_model: str
    """As people call it; `none` where there is none."""
    gpu_architecture: GpuArchitecture | None = None
    """Absent without GPUs; of simulated ones, the generation that they play."""
    gpu_memory_gib: Annotated[int, Field(ge=1)] | None = None
    """Of one GPU, rounded down."""
    gpu_watts: Annotated[int, Field(ge=1, le=5000)] | None = None
    """Power limit of one GPU, as it is delivered."""
    gpu_watts_min: Annotated[int, Field(ge=1, le=5000)] | None = None
    """The lowest power limit that one GPU takes."""
    gpu_pci: tuple[Pci, ...] = ()
    """Addresses of the GPUs, where known."""
    nvlink_gpus: Annotated[int, Field(ge=2, le=16)] | None = None
    """GPUs of the tray that NVLink joins, where the rack has no network of them; absent where nothing joins them."""
    superchips: Annotated[int, Field(ge=0, le=16)] = 0
    """Boards that join one CPU and its GPUs; 0 where CPUs and GPUs are apart."""
    nics: Annotated[tuple[HostInterface, ...], Field(min_length=2)]
    """Interfaces in the order of a tray's `macs`: with `has_oob_nic` the first is out-of-band; all others
    are uplinks to the in-band fabric."""
    has_oob_nic: bool = True
    """Whether the host itself has a port on the out-of-band network. Without one, it is managed through its
    first uplink; its BMC is out-of-band in any case."""
    ports: tuple[Port, ...] = ()
    """Ports to the compute and in-band networks."""
    disks: tuple[Disk, ...] = ()
    dpus: tuple[Dpu, ...] = ()
    cgroup_version: Literal[1, 2]
    """Of the kernel; kubelet must be told where it is not 2."""
    limited_oom_score: bool
    """Whether processes lack CAP_SYS_RESOURCE and so cannot lower their OOM score."""

    @property
    def uplinks(self) -> tuple[str, ...]:
        """Interfaces to the in-band fabric."""
        return self.nics[1:] if self.has_oob_nic else self.nics

    @property
    def rails(self) -> tuple[Port, ...]:
        """Compute ports in the order of their rails."""
        return tuple(sorted((p for p in self.ports if p.role == "compute"), key=lambda p: p.rail or 0))
