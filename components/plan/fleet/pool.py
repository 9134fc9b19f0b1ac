"""Pools: the GPUs of a region, those of one kind together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, inf

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.rack import RackProfile
from components.spec.rack import Role
from components.spec.region import Region

GIB_IN_GB = 2**30 / 1e9


@dataclass(frozen=True, kw_only=True)
class Pool:
    """All working GPUs of one kind: those that a rack profile describes."""

    name: str
    """Of the profile; also of the ResourceFlavor, and the value of the hosts' label."""
    gpu_model: str
    """As the driver names it in `productName`."""
    architecture: str
    memory_gib: int
    """Of one GPU, rounded down; 0 where the catalogue does not say."""
    gpus_per_host: int
    domain: int
    """GPUs that reach each other's memory by NVLink: of the largest domain, its spares left out; 1 without."""
    gpus: int
    """That work for tenants in this region."""
    eur_hour: float | None = None
    """Price of one GPU for an hour, without energy; None where nobody set one."""
    kw_per_gpu: float | None = None
    """Its share of the rack's planned power."""
    simulated: bool = False

    @property
    def memory_gb(self) -> int:
        """As sold: the catalogue's GiB are rounded down, so the GB of a datasheet are these rounded up."""
        return ceil(self.memory_gib * GIB_IN_GB)


@dataclass(frozen=True)
class Fleet:
    """The pools of a region, cheapest GPU first; those without a price last."""

    pools: tuple[Pool, ...] = field(default=())

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.pools, key=lambda p: (inf if p.eur_hour is None else p.eur_hour, p.name)))
        object.__setattr__(self, "pools", ordered)

    def pool(self, name: str) -> Pool | None:
        """The pool of this name."""
        return next((pool for pool in self.pools if pool.name == name), None)


def fleet_of(region: Region) -> Fleet:
    """Pools of all workers of a region. Spares promise nothing, so they are not in it."""
    working: dict[str, list[int]] = defaultdict(list)
    for rack in region.racks:
        kinds = Counter(tray.gpus_of or rack.profile for tray in rack.trays if tray.role is Role.GPU_WORKER)
        for kind, workers in kinds.items():
            working[kind].append(workers)
    profiles = ((region.catalogue.rack(name), trays) for name, trays in working.items())
    return Fleet(tuple(_pool(p, trays, region.catalogue) for p, trays in profiles if p is not None and p.tray.gpus))


def gpu_price(catalogue: Catalogue, gpu_model: str) -> float | None:
    """Of an hour of one GPU of this model."""
    return next((p.eur for p in catalogue.prices if p.unit == "gpu-hour" and p.gpu_model == gpu_model), None)


def _pool(profile: RackProfile, working: Iterable[int], catalogue: Catalogue) -> Pool:
    tray, trays = profile.tray, list(working)
    return Pool(
        name=profile.profile,
        gpu_model=tray.gpu_model,
        architecture=tray.gpu_architecture or ("simulated" if profile.simulated else "unknown"),
        memory_gib=tray.gpu_memory_gib or 0,
        gpus_per_host=tray.gpus,
        domain=max(trays) * tray.gpus if profile.nvlink else tray.nvlink_gpus or 1,
        gpus=sum(trays) * tray.gpus,
        eur_hour=gpu_price(catalogue, tray.gpu_model),
        kw_per_gpu=_kw_per_gpu(profile),
        simulated=profile.simulated,
    )


def _kw_per_gpu(profile: RackProfile) -> float | None:
    power = profile.power
    if power is None:
        return None
    if power.tray_kw is not None:
        return power.tray_kw / profile.tray.gpus
    return None if power.planned_kw is None else power.planned_kw / profile.gpus
