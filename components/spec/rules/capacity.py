"""Rules on capacity: what tenants are promised is there, in the shape that they need, with spares behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from components.spec.catalogue.rack import RackProfile
from components.spec.rack import Rack, Role
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.services import services_of

MOST_SPARES = 4
"""One tray in so many may be a spare: more is capacity that was paid for and serves nobody."""


def _profiled(region: Region) -> Iterator[tuple[int, Rack, RackProfile]]:
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        if profile := profiles.get(rack.profile):
            yield r, rack, profile


def _working(rack: Rack) -> int:
    return sum(tray.role is Role.GPU_WORKER for tray in rack.trays)


def _promised(region: Region) -> int | None:
    """GPUs of all workers; spares promise nothing. None where a profile is not known, or nothing works: rules
    of their own say so."""
    known = list(_profiled(region))
    promised = sum(_working(rack) * profile.tray.gpus for _, rack, profile in known)
    return promised if promised and len(known) == len(region.racks) else None


@rule("quota-beyond-region", "racks", "tenants", "catalogue")
def quotas_fit_the_region(region: Region) -> Iterator[Fault]:
    """The GPU quotas of all tenants together are at most the GPUs of the workers, without spares.

    Example: quotas of 12,000 and 8,000 GPUs where 250 racks promise 16,000.
    """
    promised, quotas = _promised(region), [(t.tenant, t.quota.gpus) for t in region.tenants]
    wanted = sum(gpus for _, gpus in quotas)
    if promised is not None and wanted > promised:
        spares = sum(sum(t.role is Role.SPARE for t in rack.trays) * p.tray.gpus for _, rack, p in _profiled(region))
        yield Fault(
            at=("tenants", len(region.tenants) - 1, "quota", "gpus"),
            message="tenants are promised more GPUs than the region keeps working",
            found=f"{' + '.join(f'{gpus:,}' for _, gpus in quotas)} = {wanted:,}",
            allowed=f"at most {promised:,}: all but {spares:,} of spare trays",
            remedy="lower quotas, or add racks",
        )


@rule("always-on-beyond-region", "racks", "tenants", "catalogue")
def minimums_fit_the_region(region: Region) -> Iterator[Fault]:
    """The services that never sleep fit into the region together.

    Example: `min: 30` replicas with 4 GPUs each where the workers have 64.
    """
    promised = _promised(region)
    needs = [(p.name, p.at, gpus) for p in services_of(region) if (gpus := p.service.scaling.min * p.service.gpus)]
    wanted = sum(gpus for *_, gpus in needs)
    if promised is not None and wanted > promised:
        yield Fault(
            at=(*needs[-1][1], "scaling", "min"),
            message="the least replicas of all services need more GPUs than there are",
            found=f"{' + '.join(f'{gpus} ({name})' for name, _, gpus in needs)} = {wanted:,}",
            allowed=f"at most {promised:,}",
            remedy="lower `scaling.min` of some, or let them sleep",
        )


@rule("service-beyond-domain", "racks", "tenants", "catalogue")
def domains_hold_their_services(region: Region) -> Iterator[Fault]:
    """A service with `nvlink_domain` fits into one NVLink domain with all its replicas, spares left out.

    Example: 4 GPUs x 32 replicas = 128, where the working trays of a rack have 64.
    """
    sizes = [_working(rack) * profile.tray.gpus for _, rack, profile in _profiled(region) if profile.nvlink]
    most = max(sizes, default=0)
    for placed in services_of(region):
        service = placed.service
        wanted = service.gpus * service.scaling.max
        if service.gpu and service.gpu.nvlink_domain and wanted > most:
            yield Fault(
                at=(*placed.at, "scaling", "max") if most else (*placed.at, "gpu", "nvlink_domain"),
                message=f"{service.name} must stand in one NVLink domain, and "
                + ("the largest is smaller" if most else "no rack of the region has one"),
                found=f"{service.gpus} GPUs x {service.scaling.max} replicas = {wanted}",
                allowed=f"at most {most}, the working trays of one rack" if most else "no `nvlink_domain`",
                remedy="lower max or gpu.count, or drop `nvlink_domain`",
            )


@rule("service-gpu-architecture", "racks", "tenants", "catalogue")
def services_have_their_gpus(region: Region) -> Iterator[Fault]:
    """Some worker of the region has the GPUs that a service is built for, as many as a replica takes.

    Example: a service for `blackwell` in a region of L4 servers.
    """
    here: dict[str, int] = defaultdict(int)
    kinds = {
        tray.gpus_of or rack.profile for rack in region.racks for tray in rack.trays if tray.role is Role.GPU_WORKER
    }
    for profile in (each for each in region.catalogue.racks if each.profile in kinds and each.tray.gpus):
        architecture = profile.tray.gpu_architecture or "simulated"  # real ones have one: a rule of the catalogue
        here[architecture] = max(here[architecture], profile.tray.gpus)
    for placed in services_of(region):
        service = placed.service
        wanted = service.gpu.architectures if service.gpu else ()
        if wanted and not any(here.get(each, 0) >= service.gpus for each in wanted):
            yield Fault(
                at=(*placed.at, "gpu", "architectures"),
                message=f"no worker has {service.gpus} GPUs that {service.name} is built for",
                found=", ".join(wanted),
                allowed=", ".join(f"{name} (up to {gpus} a host)" for name, gpus in sorted(here.items())),
                remedy="build it for the GPUs of the region, or place it in a region that has them",
            )


@rule("spares-missing", "racks", "catalogue")
def domains_have_spares(region: Region) -> Iterator[Fault]:
    """Every NVLink domain keeps a spare tray, so that a failed one takes no capacity that was promised.

    Example: a series of GB200 racks without `spares`.
    """
    for r, rack, profile in _profiled(region):
        if profile.nvlink and _working(rack) == len(rack.trays):
            yield Fault(
                at=("racks", r),
                message=f"all {len(rack.trays)} trays are promised, so the first that fails breaks the promise",
                found="0 spares",
                allowed=f"1 to {profile.slots // MOST_SPARES}; NVIDIA's racks are promised as 16 of 18",
                remedy="add `spares: 2`, or the role spare",
            )


@rule("spares-many", "racks", "catalogue")
def spares_are_few(region: Region) -> Iterator[Fault]:
    """At most a quarter of the GPU trays of a rack are spares.

    Example: `spares: 10` in racks of 18 trays.
    """
    for r, rack, profile in _profiled(region):
        spares = sum(tray.role is Role.SPARE for tray in rack.trays)
        most = max(1, len(rack.trays) // MOST_SPARES)
        if profile.tray.gpus and _working(rack) and spares > most:
            yield Fault(
                at=("racks", r),
                message="so many spares are capacity that serves nobody",
                found=f"{spares} of {len(rack.trays)} trays",
                allowed=f"at most {most}",
                remedy="lower `spares`, or give trays the role gpu_worker",
            )


@rule("cluster-below-unit", "cluster", "scalable_unit", "pools")
def clusters_hold_a_unit(region: Region) -> Iterator[Fault]:
    """A cluster holds at least one scalable unit: it is cut between units only.

    Example: `max_nodes: 100` with units of 8 racks x 18 slots = 144 nodes.
    """
    unit = region.scalable_unit.racks * region.pools.slots_per_rack
    if region.cluster.max_nodes < unit:
        yield Fault(
            at=("cluster", "max_nodes"),
            message="a cluster would be smaller than one scalable unit, and is never cut within one",
            found=str(region.cluster.max_nodes),
            allowed=f"at least {region.scalable_unit.racks} racks x {region.pools.slots_per_rack} slots = {unit}",
            remedy="raise max_nodes",
        )


@rule("cluster-headless", "cluster", "scalable_unit", "pools", "racks")
def clusters_have_control_planes(region: Region) -> Iterator[Fault]:
    """Where a region is cut into clusters, each has a control plane.

    Example: `max_nodes: 2500` with 250 racks whose control plane stands in the last unit.
    """
    unit = region.scalable_unit.racks * region.pools.slots_per_rack
    racks = max(1, region.cluster.max_nodes // unit) * region.scalable_unit.racks
    members: dict[int, list[Rack]] = defaultdict(list)
    for rack in region.racks:
        members[(rack.id - 1) // racks + 1].append(rack)
    headless = [
        number
        for number, each in sorted(members.items())
        if not any(tray.role is Role.CONTROL_PLANE for rack in each for tray in rack.trays)
    ]
    if headless and len(members) > 1:
        yield Fault(
            at=("cluster", "max_nodes"),
            message=f"the region is cut into {len(members)} clusters of at most {racks} rack ids, and cluster"
            f" {', '.join(map(str, headless))} has no control plane",
            found=str(region.cluster.max_nodes),
            allowed=f"{racks} rack ids = {racks * region.pools.slots_per_rack} nodes a cluster, each with a control plane",
            remedy="raise max_nodes, or put control planes into a rack of each cluster",
        )


RULES = (
    quotas_fit_the_region,
    minimums_fit_the_region,
    domains_hold_their_services,
    services_have_their_gpus,
    domains_have_spares,
    spares_are_few,
    clusters_hold_a_unit,
    clusters_have_control_planes,
)
