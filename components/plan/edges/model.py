"""The steering plan: edges, names, and for each client network the order of edges."""

from __future__ import annotations

from dataclasses import dataclass

from components.spec.derive import STEERED_ZONES
from components.spec.service import Sovereignty


@dataclass(frozen=True, kw_only=True)
class EdgePlan:
    """An edge."""

    region: str
    site: str
    country: str
    address: str
    in_union: bool


@dataclass(frozen=True, kw_only=True)
class NameServerPlan:
    """A name server, and which zones it may hold."""

    name: str
    region: str
    address: str
    classes: tuple[Sovereignty, ...]
    ssh_key: str
    """Reference to the key that opens it: its region's."""


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """Clients of one network."""

    network: str
    site: str


@dataclass(frozen=True, kw_only=True)
class OrderPlan:
    """In which order edges are tried for clients of a site."""

    site: str
    regions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """Edges that serve the same services: their order for each site of clients, nearest first."""

    name: str
    sovereignty: Sovereignty
    regions: tuple[str, ...]
    """In the order for clients of whom nothing is known."""
    orders: tuple[OrderPlan, ...]

    def order(self, site: str) -> tuple[str, ...]:
        """For clients near a site."""
        return next((each.regions for each in self.orders if each.site == site), self.regions)


@dataclass(frozen=True, kw_only=True)
class SteeredService:
    """A service that runs in several regions, under one name."""

    tenant: str
    service: str
    host: str
    sovereignty: Sovereignty
    pool: str

    @property
    def label(self) -> str:
        """Its name in its zone."""
        return f"{self.service}.{self.tenant}"


@dataclass(frozen=True, kw_only=True)
class HealthPlan:
    """How edges are watched."""

    path: str
    port: int
    interval_s: int
    timeout_s: int
    failures: int
    recoveries: int


@dataclass(frozen=True, kw_only=True)
class SteeringPlan:
    """All of it."""

    domain: str
    edges: tuple[EdgePlan, ...]
    name_servers: tuple[NameServerPlan, ...]
    networks: tuple[NetworkPlan, ...]
    pools: tuple[PoolPlan, ...]
    services: tuple[SteeredService, ...]
    health: HealthPlan
    ttl_s: int
    worst_s: int
    """From the death of an edge until no resolver sends anyone there."""

    def edge(self, region: str) -> EdgePlan:
        """The edge of this region."""
        return next(edge for edge in self.edges if edge.region == region)

    def pool(self, name: str) -> PoolPlan:
        """The pool of this name."""
        return next(pool for pool in self.pools if pool.name == name)

    def zone(self, sovereignty: Sovereignty) -> str:
        """The zone of a class."""
        return f"{STEERED_ZONES[sovereignty]}.{self.domain}"
