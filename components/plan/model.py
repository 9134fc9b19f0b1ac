"""The compiled region: everything that is derived from the spec, as frozen data.

Owns the shape only. `plan.compile` builds it; components, clients, checks and renders read it.
Nothing here performs I/O. Addresses are strings in CIDR or plain form, as consumers print them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from components.plan.cost.prices import PriceList
from components.plan.fabric_model import FabricPlan
from components.plan.fleet.pool import Fleet
from components.plan.networks.model import NetworksPlan
from components.plan.power.model import PowerPlan
from components.plan.site import SitePlan
from components.plan.tenants import ServicePlan, TenantPlan
from components.plan.topology import TopologyPlan
from components.spec.rack import Role as TrayRole


@dataclass(frozen=True, kw_only=True)
class Nic:
    """A network port of a tray."""

    name: str
    """Name in the operating system and on the tray, e.g. `eth1`."""
    mac: str
    """Lower-case, colon separated; empty until the tray is received."""
    is_oob: bool


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """One compute tray: a host when it is deployed."""

    name: str
    """`lab-r01-t01`; also the Ironic node name, the host name and the Kubernetes node name."""
    id: int
    """Stable within the region; all addresses follow from it."""
    rack: str
    slot: int
    role: TrayRole
    serial: str
    """Empty until the tray is received."""
    gpus: int
    gpu_model: str
    """As people call it; `none` where there is none."""
    gpu_pool: str
    """Pool that they belong to: the rack profile that says what they are."""
    nics: tuple[Nic, ...]
    bmc_mac: str
    """Of the BMC, lower-case; empty until it is received."""
    bmc_address: str
    """Plain address of the BMC."""
    bmc_url: str
    oob_address: str
    """Plain address by which the host is installed and managed (SSH): on the out-of-band network, or, where
    trays have no port there, on the link to the first leaf."""
    oob_prefix: int
    oob_gateway: str
    loopback: str
    """Plain in-band address, the node's address in Kubernetes."""
    asn: int
    pod_cidr: str
    service_vips: tuple[str, ...]
    """Plain addresses that this host announces besides its own."""
    leaves: tuple[str, ...]
    """Leaf switches in the order of the uplink ports."""

    @property
    def is_received(self) -> bool:
        """Whether the machine is known by its serial number; nothing is done to one that is not."""
        return bool(self.serial)

    @property
    def is_spare(self) -> bool:
        """Whether it stays enrolled and off until it takes another's place."""
        return self.role is TrayRole.SPARE

    @property
    def uplinks(self) -> tuple[str, ...]:
        """Ports to the fabric, in the order of `leaves`."""
        return tuple(nic.name for nic in self.nics if not nic.is_oob)


@dataclass(frozen=True, kw_only=True)
class TrayHardware:
    """What every tray of a rack has, from the rack's profile."""

    boot_mode: str
    """`bios` or `uefi`."""
    arch: str
    """`x86_64` or `aarch64`."""
    disk_gib: int
    memory_mib: int
    gpus: int


@dataclass(frozen=True, kw_only=True)
class FirmwarePlan:
    """The versions that a rack's parts are brought to. People flash them: the provider has no action for it."""

    baseline: str
    release: str
    """The maker's name of the set; empty where there is none."""
    parts: tuple[tuple[str, str], ...]
    """(part, version), by name."""


@dataclass(frozen=True, kw_only=True)
class RackPlan:
    """One rack: the unit of change."""

    name: str
    id: int
    profile: str
    image: str
    """Name of the deploy image in the artifact index."""
    image_url: str
    image_sha256: str
    image_format: str
    protect: bool
    oob_block: str
    """Its part of the out-of-band network, CIDR."""
    hardware: TrayHardware
    firmware: FirmwarePlan | None = None
    """None where the catalogue names no set."""
    hosts: tuple[HostPlan, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Services of the region, and references to the secrets that open them."""

    address: str
    """Plain address behind the services' names in the region's domain."""
    ironic: str
    images: str
    registry: str
    """host:port, as images are named."""
    registry_tokens: str
    """host:port of the issuer of its tokens."""
    apt_url: str
    apt_suite: str
    apt_key: str
    """Reference to the public key."""
    s3: str
    ntp: tuple[str, ...]
    dns: tuple[str, ...]
    ca_certificate: str
    ca_key: str
    credentials: dict[str, str]
    """bmc, ironic, s3, weights_reader, ssh_key, switch_known_hosts -> reference, never a value."""


@dataclass(frozen=True, kw_only=True)
class ContainerImage:
    """An image in the region's registry."""

    name: str
    """Short name in the artifact index, e.g. `kube-apiserver`, `hello-gpu`."""
    reference: str
    """Pullable by digest: `registry/path@sha256:...`."""
    tag: str


@dataclass(frozen=True, kw_only=True)
class ManifestPlan:
    """Published Kubernetes objects of an add-on."""

    name: str
    """`keda`, `http-add-on`, `envoy-gateway`."""
    url: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """One Kubernetes cluster."""

    name: str
    kubernetes_version: str
    containerd_version: str
    api_address: str
    """Plain address that nodes use (in-band)."""
    api_external: str
    """Plain address that the operator uses (out-of-band)."""
    pod_network: str
    service_network: str
    dns_address: str
    domain: str
    join_pace: int
    tenants: tuple[TenantPlan, ...]
    images: tuple[ContainerImage, ...]
    manifests: tuple[ManifestPlan, ...]
    device_class: str
    """Neutral DeviceClass name that services claim."""
    cgroup_version: int
    limited_oom_score: bool
    nvidia_driver: str
    simulated: bool

    def image(self, name: str) -> ContainerImage:
        """The published image of this short name; `compile_region` has checked that it is there."""
        return next(i for i in self.images if i.name == name)

    def manifest(self, name: str) -> ManifestPlan:
        """The published manifest of this name."""
        return next(m for m in self.manifests if m.name == name)


@dataclass(frozen=True, kw_only=True)
class RuntimePlan:
    """The serverless runtime and what runs on it."""

    gateway: str
    gateway_vip: str
    health_host: str
    """Name that is no service's, by which the gateway is asked whether it is up."""
    health_path: str
    """At which it says so, without waking anything."""
    services: tuple[ServicePlan, ...]
    fleet: Fleet = field(default_factory=Fleet)
    """The GPUs that work for tenants, by kind."""
    prices: PriceList = field(default_factory=PriceList)
    """That forecasts count with."""
    weights_cache_gib: int = 0
    """That the cache of a rack keeps at most."""


@dataclass(frozen=True, kw_only=True)
class OutOfBandPlan:
    """The management network."""

    network: str
    """CIDR."""
    gateway: str
    bridge: str
    """Name of the bridge that plays this network on a bench machine."""


@dataclass(frozen=True, kw_only=True)
class DnsRecord:
    """One A record of the region's zone."""

    name: str
    """Relative to the domain."""
    address: str


@dataclass(frozen=True, kw_only=True)
class RegionPlan:
    """A whole region, compiled."""

    region: str
    domain: str
    site: SitePlan
    endpoints: Endpoints
    oob: OutOfBandPlan
    topology: TopologyPlan
    power: PowerPlan
    fabric: FabricPlan
    networks: NetworksPlan
    racks: tuple[RackPlan, ...]
    cluster: ClusterPlan
    runtime: RuntimePlan
    records: tuple[DnsRecord, ...]

    @property
    def deployed_hosts(self) -> tuple[HostPlan, ...]:
        """Hosts that run; spares stay enrolled and off."""
        return tuple(h for h in self.hosts if not h.is_spare)

    @property
    def hosts(self) -> tuple[HostPlan, ...]:
        """Hosts of all racks, in rack and slot order."""
        return tuple(h for rack in self.racks for h in rack.hosts)
