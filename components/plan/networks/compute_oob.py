"""Management of the InfiniBand switches: an address and a port for each, and the switches that these ports are of.

Everything follows from a switch's own unit or island (components.spec.compute_oob), so a unit that comes later
changes nothing that is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from components.plan.addressing import address
from components.plan.naming import compute_access_name, oob_gathering_name
from components.plan.networks.model import (
    CableRun,
    ComputePlan,
    ComputeSwitch,
    Network,
    NetworkCable,
    OobEndpoint,
    OobRole,
    OobSwitch,
)
from components.plan.networks.runs import SLOW, Spots, run_between
from components.spec.catalogue.derive import port_name
from components.spec.compute_oob import ACCESS_FIRST, GATHERING_FIRST, ComputeOob, compute_oob, gathering_switches
from components.spec.network import OutOfBandNetwork
from components.spec.oob_layout import OobKind, uplink_port
from components.spec.region import Region

PLUG = "mgmt"
"""Management port of an InfiniBand switch, and its key in the list of what was delivered."""

Place = tuple[int | None, int]
"""Unit (None for what serves the island) and island."""


def compute_endpoints(region: Region, compute: ComputePlan | None) -> Iterator[OobEndpoint]:
    """One for each InfiniBand switch, in the order of the network."""
    oob, pool, here = compute_oob(region), region.pools.oob.compute_switches, region.oob
    access = region.catalogue.switch(here.switch) if here else None
    if compute is None or oob is None or pool is None or access is None:
        return
    ports = ["", *(port_name(access, n) for n in range(1, access.ports + 1))]
    met: defaultdict[Place, int] = defaultdict(int)
    for switch in compute.switches:
        place = (switch.unit, switch.island)
        index = met[place]
        met[place] += 1
        n, port = oob.plug(index)
        yield OobEndpoint(
            name=switch.name,
            kind=OobKind.COMPUTE_SWITCH,
            rack="",
            device=switch.name,
            address=address(pool, _number(oob, switch, index)),
            switch=compute_access_name(region.region, *place, n),
            port=ports[port],
            mac=_mac(region, switch.name),
        )


def compute_access(region: Region, compute: ComputePlan | None) -> Iterator[OobSwitch]:
    """Gathering switches, then the access switches of each unit and island."""
    oob, here = compute_oob(region), region.oob
    if compute is None or oob is None or here is None:
        return
    for n in range(1, gathering_switches(region, oob) + 1):
        name = oob_gathering_name(region.region, n)
        yield _switch(region, here, name, OobRole.GATHERING, n, here.first_id + GATHERING_FIRST + n - 1)
    for place, n, number in _access(oob, compute):
        name = compute_access_name(region.region, *place, n)
        yield _switch(region, here, name, OobRole.ACCESS, number, here.first_id + ACCESS_FIRST + number - 1)


def compute_access_cables(
    region: Region, compute: ComputePlan | None, endpoints: tuple[OobEndpoint, ...], spots: Spots
) -> Iterator[NetworkCable]:
    """From each InfiniBand switch to its access switch, and from there to a gathering switch."""
    oob, here = compute_oob(region), region.oob
    access = region.catalogue.switch(here.switch) if here else None
    if compute is None or oob is None or access is None:
        return
    beside = {switch.name: switch for switch in compute.switches}
    for endpoint in endpoints:
        if endpoint.kind is OobKind.COMPUTE_SWITCH:
            switch = beside[endpoint.device]
            spot = spots.unit(switch.unit) if switch.unit is not None else spots.island(switch.island)
            run = run_between(spot, spot, SLOW)
            yield _cable((endpoint.device, PLUG), (endpoint.switch, endpoint.port), run)
    up = port_name(access, uplink_port(access, access))
    for (unit, island), n, number in _access(oob, compute):
        gathering, port = oob.gathered(number)
        spot = spots.unit(unit) if unit is not None else spots.island(island)
        run = run_between(spot, spots.room(1), SLOW)
        above = (oob_gathering_name(region.region, gathering), port_name(access, port))
        yield _cable((compute_access_name(region.region, unit, island, n), up), above, run)


def _access(oob: ComputeOob, compute: ComputePlan) -> Iterator[tuple[Place, int, int]]:
    """Where each access switch stands, its number there, and among all."""
    for unit in compute.units:
        island = (unit - 1) // oob.shape.island_units + 1
        for n in range(1, oob.unit_access + 1):
            yield (unit, island), n, oob.access_of_unit(unit, n)
    for island in compute.islands:
        for n in range(1, oob.island_access + 1):
            yield (None, island), n, oob.access_of_island(island, n)


def _number(oob: ComputeOob, switch: ComputeSwitch, index: int) -> int:
    return oob.of_unit(switch.unit, index) if switch.unit is not None else oob.of_island(switch.island, index)


def _mac(region: Region, name: str) -> str:
    macs = region.delivered.get(name, {}).get(PLUG, {}).get("macs", [])
    return str(macs[0]) if macs else ""


def _switch(region: Region, here: OutOfBandNetwork, name: str, role: OobRole, number: int, id: int) -> OobSwitch:
    where = address(region.pools.oob.switches, id)
    return OobSwitch(name=name, role=role, model=here.switch, rack=None, number=number, address=where, asn=None)


def _cable(a: tuple[str, str], b: tuple[str, str], run: CableRun) -> NetworkCable:
    return NetworkCable(a_device=a[0], a_port=a[1], b_device=b[0], b_port=b[1], network=Network.OOB, rail=None, run=run)
