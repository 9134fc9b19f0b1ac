"""Where each rack stands, and what it belongs to: scalable unit, island, cluster, NVLink domain.

All of it follows from a rack's own id, so a rack that comes or goes moves no other. Units, islands and
clusters are counted from 1; a unit in which no rack stands yet is still a unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.cluster_cut import cluster_of
from components.spec.derive import place_of
from components.spec.rack import Role
from components.spec.region import Region


@dataclass(frozen=True, kw_only=True)
class RackPlace:
    """A rack in the datacenter and in the groupings above it."""

    rack: str
    rack_id: int
    hall: str
    row: int
    position: int
    """Place in the row, from 1."""
    unit: int
    """Scalable unit."""
    island: int
    """Of the compute network: jobs inside one cross no other."""
    cluster: int
    nvlink_domain: str | None
    """Name of the rack's NVLink domain, one a rack; None where GPUs are joined inside a tray only."""
    gpus: int
    """Of all trays, spares too."""
    spare_gpus: int
    """Held back, so that a failed tray takes no capacity that was promised."""


@dataclass(frozen=True, kw_only=True)
class ClusterCut:
    """The racks of one Kubernetes cluster; cuts lie between scalable units."""

    number: int
    name: str
    racks: tuple[str, ...]
    nodes: int
    """Trays that join: all but spares."""


@dataclass(frozen=True, kw_only=True)
class TopologyPlan:
    """Placement and grouping of all racks, in the order of their ids."""

    racks: tuple[RackPlace, ...]
    clusters: tuple[ClusterCut, ...]
    units: tuple[int, ...]
    """Scalable units in which a rack has its id, in order."""
    islands: tuple[int, ...]
    """In which a GPU stands: servers without any have a unit, and no part in the compute network."""
    unit_racks: int
    island_units: int

    def of(self, rack: str) -> RackPlace:
        """The place of this rack."""
        return next(place for place in self.racks if place.rack == rack)


def unit_of(rack_id: int, unit_racks: int) -> int:
    """Scalable unit of a rack."""
    return (rack_id - 1) // unit_racks + 1


def compile_topology(region: Region) -> TopologyPlan:
    """The topology of a region whose rules hold."""
    places = tuple(_places(region))
    return TopologyPlan(
        racks=places,
        clusters=tuple(_clusters(region, places)),
        units=tuple(sorted({place.unit for place in places})),
        islands=tuple(sorted({place.island for place in places if place.gpus})),
        unit_racks=region.scalable_unit.racks,
        island_units=region.scalable_unit.island_units,
    )


def _places(region: Region) -> Iterator[RackPlace]:
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for rack in sorted(region.racks, key=lambda rack: rack.id):
        profile = profiles[rack.profile]
        place = place_of(region.site, rack)
        if place is None:
            raise ValueError(f"{rack.name} has no place")
        unit = unit_of(rack.id, region.scalable_unit.racks)
        spares = sum(tray.role is Role.SPARE for tray in rack.trays)
        yield RackPlace(
            rack=rack.name,
            rack_id=rack.id,
            hall=place.hall,
            row=place.row,
            position=place.position,
            unit=unit,
            island=(unit - 1) // region.scalable_unit.island_units + 1,
            cluster=cluster_of(region, rack.id),
            nvlink_domain=f"{rack.name}-nvl" if profile.nvlink else None,
            gpus=len(rack.trays) * profile.tray.gpus,
            spare_gpus=spares * profile.tray.gpus,
        )


def _clusters(region: Region, places: tuple[RackPlace, ...]) -> Iterator[ClusterCut]:
    nodes = {rack.name: sum(tray.role is not Role.SPARE for tray in rack.trays) for rack in region.racks}
    members: dict[int, list[str]] = defaultdict(list)
    for place in places:
        members[place.cluster].append(place.rack)
    for number in sorted(members):
        yield ClusterCut(
            number=number,
            name=region.cluster.name if number == 1 else f"{region.cluster.name}-{number}",
            racks=tuple(members[number]),
            nodes=sum(nodes[rack] for rack in members[number]),
        )
