"""How long a cable is, by where its ends stand.

The description says where racks stand; it does not say where switches do, so this is assumed (D):
- switches of a scalable unit stand in the row that the unit's first rack id counts to;
- those of an island, of the fabric above its leaves, and of the out-of-band network outside racks stand in
  the network room of a hall: that of the first rack id which they serve.
Lengths are those in which such cables are sold, and media what reaches so far (K): copper 2 m, multimode
fibre 30 m and 50 m, single-mode fibre from 100 m; copper at 1 Gbit/s reaches 100 m.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.plan.networks.model import CableRun
from components.plan.topology import RackPlace, TopologyPlan
from components.spec.derive import counted_place
from components.spec.site import Site

COPPER, TWISTED, MULTIMODE, SINGLE_MODE = "copper", "twisted pair", "multimode fibre", "single-mode fibre"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a device stands, as near as it matters."""

    hall: str | None
    """None outside the halls that are described."""
    row: int | None
    """None in the hall's network room."""
    rack: str | None = None


FAST: Mapping[str, CableRun] = {
    "in-rack": CableRun(name="in-rack", length_m=2, media=COPPER),
    "in-row": CableRun(name="in-row", length_m=30, media=MULTIMODE),
    "in-hall": CableRun(name="in-hall", length_m=50, media=MULTIMODE),
    "cross-hall": CableRun(name="cross-hall", length_m=100, media=SINGLE_MODE),
}
"""Of 100 Gbit/s and more."""

SLOW: Mapping[str, CableRun] = {
    "in-rack": CableRun(name="in-rack", length_m=2, media=TWISTED),
    "in-row": CableRun(name="in-row", length_m=30, media=TWISTED),
    "in-hall": CableRun(name="in-hall", length_m=50, media=TWISTED),
    "cross-hall": CableRun(name="cross-hall", length_m=100, media=SINGLE_MODE),
}
"""Of 1 Gbit/s."""


def run_between(a: Spot, b: Spot, runs: Mapping[str, CableRun] = FAST) -> CableRun:
    """The run of a cable between these."""
    if a.rack and a.rack == b.rack:
        return runs["in-rack"]
    if a.hall is None or a.hall != b.hall:
        return runs["cross-hall"]
    return runs["in-row" if a.row is not None and a.row == b.row else "in-hall"]


@dataclass(frozen=True)
class Spots:
    """Where everything stands."""

    site: Site
    topology: TopologyPlan

    def rack(self, place: RackPlace) -> Spot:
        """Of a rack and what is in it."""
        return Spot(place.hall, place.row, place.rack)

    def unit(self, unit: int) -> Spot:
        """Of the switches of a scalable unit."""
        place = counted_place(self.site, (unit - 1) * self.topology.unit_racks + 1)
        return Spot(place.hall, place.row) if place else Spot(None, None)

    def room(self, first_rack_id: int) -> Spot:
        """The network room of the hall that this rack id counts to."""
        place = counted_place(self.site, first_rack_id)
        return Spot(place.hall if place else None, None)

    def island(self, island: int) -> Spot:
        """Of the switches of an island of the compute network."""
        return self.room((island - 1) * self.topology.island_units * self.topology.unit_racks + 1)
