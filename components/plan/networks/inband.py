"""Cables of the in-band fabric, with their length: the fabric plan knows their ends only."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.fabric_model import FabricPlan
from components.plan.naming import host_name
from components.plan.networks.model import Network, NetworkCable
from components.plan.networks.runs import Spot, Spots, run_between
from components.spec.region import Region

_OUTSIDE = Spot(None, None)


def inband_cables(region: Region, fabric: FabricPlan, spots: Spots) -> Iterator[NetworkCable]:
    """Each cable of the fabric, in its order."""
    where = _where(region, spots)
    for cable in fabric.cables:
        yield NetworkCable(
            a_device=cable.a_device,
            a_port=cable.a_port,
            b_device=cable.b_device,
            b_port=cable.b_port,
            network=Network.INBAND,
            rail=None,
            run=run_between(where.get(cable.a_device, _OUTSIDE), where.get(cable.b_device, _OUTSIDE)),
        )


def _where(region: Region, spots: Spots) -> dict[str, Spot]:
    """Hosts in their racks, leaves with the scalable unit whose racks hang on them, all else in a network room."""
    places = {place.rack: place for place in spots.topology.racks}
    room = spots.room(1)
    where = {switch.name: room for switch in (*region.fabric.spines, *region.fabric.leaves)}
    for rack in sorted(region.racks, key=lambda rack: -rack.id):
        place = places[rack.name]
        spot, unit = spots.rack(place), spots.unit(place.unit)
        where |= dict.fromkeys(rack.leaves, unit)
        where |= {host_name(rack.name, tray.slot): spot for tray in rack.trays}
    return where
