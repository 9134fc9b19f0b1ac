"""The shape of a summary: counts only. Whoever needs each device reads the plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The whole region."""

    gpus: int
    """Of all trays."""
    serving_gpus: int
    """Of trays that are no spares."""
    racks: int
    trays: int
    spare_trays: int
    received_trays: int
    """Known by their serial number."""
    nvlink_domains: int
    units: int
    islands: int
    nodes: int
    """Of all clusters."""


@dataclass(frozen=True, kw_only=True)
class HallLine:
    """A hall."""

    name: str
    rows: int
    racks_per_row: int
    racks: int
    free: int
    """Places where no rack stands."""
    gpus: int
    units: tuple[int, ...]
    islands: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ProfileLine:
    """Racks of one kind."""

    profile: str
    gpu_model: str
    racks: int
    trays: int
    spare_trays: int
    gpus: int
    planned_kw: float | None
    """Of one full rack."""


@dataclass(frozen=True, kw_only=True)
class IslandLine:
    """An island of the compute network."""

    number: int
    units: int
    design_units: int
    """Units that it is built for."""
    racks: int
    gpus: int


@dataclass(frozen=True, kw_only=True)
class ClusterLine:
    """A Kubernetes cluster."""

    name: str
    kubernetes: str
    racks: int
    nodes: int
    gpus: int


@dataclass(frozen=True, kw_only=True)
class PowerLine:
    """A level of power against what it may carry."""

    level: str
    """`site`, `feed` or `row`."""
    name: str
    kw: float
    budget_kw: float
    note: str = ""

    @property
    def share(self) -> float:
        """Of the budget."""
        return self.kw / self.budget_kw


@dataclass(frozen=True, kw_only=True)
class NetworkLine:
    """A network."""

    network: str
    switches: tuple[tuple[str, int], ...]
    """(tier, count)."""
    model: str
    endpoints: int
    """Ports of hosts, GPUs or management controllers."""
    cables: int
    note: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a person wants to know first."""

    region: str
    domain: str
    site: str
    country: str
    provisional: bool
    numbers: Numbers
    halls: tuple[HallLine, ...]
    profiles: tuple[ProfileLine, ...]
    islands: tuple[IslandLine, ...]
    clusters: tuple[ClusterLine, ...]
    power: tuple[PowerLine, ...]
    """The site, then each feed with its rows."""
    networks: tuple[NetworkLine, ...]
    gateway_address: str

    def of_level(self, level: str) -> tuple[PowerLine, ...]:
        """The lines of one level of power."""
        return tuple(line for line in self.power if line.level == level)
