"""The out-of-band network: an address and a port for everything in a rack that is managed by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from components.plan.addressing import address, dotted, rack_block
from components.plan.model import HostPlan, RackPlan
from components.plan.naming import oob_aggregation_name
from components.plan.networks.compute_oob import compute_access, compute_access_cables, compute_endpoints
from components.plan.networks.model import (
    ComputePlan,
    Network,
    NetworkCable,
    OobEndpoint,
    OobPlan,
    OobRack,
    OobRole,
    OobSwitch,
)
from components.plan.networks.runs import FAST, SLOW, Spots, run_between
from components.spec.catalogue.derive import port_name
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.switch import SwitchProfile
from components.spec.oob_layout import (
    OobItem,
    OobKind,
    aggregation_port,
    items_of,
    rack_switch_name,
    rack_switch_number,
    uplink_port,
)
from components.spec.region import Region


@dataclass(frozen=True)
class _Kind:
    """What all racks of a kind have alike."""

    profile: RackProfile
    items: tuple[OobItem, ...]
    switch: SwitchProfile | None
    """The kind of switch inside them."""
    ports: tuple[str, ...]
    """Its ports, counted from 1."""


def compile_oob(
    region: Region, racks: Sequence[RackPlan], compute: ComputePlan | None, spots: Spots
) -> tuple[OobPlan, Iterator[NetworkCable]]:
    """The network, and its cables as they are asked for."""
    used = {rack.profile for rack in racks}
    kinds = {each.profile: _kind(region, each) for each in region.catalogue.racks if each.profile in used}
    endpoints: list[OobEndpoint] = []
    plugs: list[tuple[OobEndpoint, str]] = []
    for rack in racks:
        for endpoint, plug in _endpoints(rack, kinds[rack.profile], region):
            endpoints.append(endpoint)
            if plug and endpoint.switch:
                plugs.append((endpoint, plug))
    plan = OobPlan(
        racks=tuple(_racks(region, racks, kinds)),
        switches=(*_aggregation(region), *_in_racks(region, racks, kinds), *compute_access(region, compute)),
        endpoints=(*endpoints, *compute_endpoints(region, compute)),
    )
    beside = compute_access_cables(region, compute, plan.endpoints, spots)
    return plan, chain(_cables(region, racks, kinds, plugs, spots), beside)


def _kind(region: Region, profile: RackProfile) -> _Kind:
    switch = region.catalogue.switch(profile.oob_switches.model) if profile.oob_switches else None
    names = ("", *(port_name(switch, n) for n in range(1, switch.all_ports + 1))) if switch else ()
    return _Kind(profile, items_of(profile), switch, names)


def _routes(region: Region, kind: _Kind) -> bool:
    """Whether the switches of the rack route its block, rather than being part of one flat network."""
    return region.oob is not None and kind.switch is not None


def _racks(region: Region, racks: Sequence[RackPlan], kinds: Mapping[str, _Kind]) -> Iterator[OobRack]:
    oob = region.pools.oob
    for rack in racks:
        block = rack_block(oob.racks, oob.rack_prefix, rack.id)
        gateway = block[-2] if _routes(region, kinds[rack.profile]) else oob.gateway
        yield OobRack(rack=rack.name, block=str(block), gateway=str(gateway))


def _endpoints(rack: RackPlan, kind: _Kind, region: Region) -> Iterator[tuple[OobEndpoint, str]]:
    """Each with the port of the device that its cable is in."""
    oob = region.pools.oob
    first = int(oob.racks.network_address) + ((rack.id - 1) << (32 - oob.rack_prefix))
    hosts: dict[int | None, HostPlan] = {host.slot: host for host in rack.hosts}
    for item in kind.items:
        host = hosts.get(item.slot)
        if item.slot is not None and host is None:
            continue
        if item.offset is None:
            if host is None or oob.hosts is None:
                continue
            where = host.oob_address
        else:
            where = dotted(first + item.offset)
        device = f"{rack.name}-{item.device}"
        yield (
            OobEndpoint(
                name=f"{device}{item.end}",
                kind=item.kind,
                rack=rack.name,
                device=device,
                address=where,
                switch=rack_switch_name(rack.name, item.switch) if item.switch else "",
                port=kind.ports[item.port] if item.switch else "",
            ),
            item.plug,
        )


def _asn(region: Region, number: int) -> int | None:
    return region.asns.oob.first + number if region.asns.oob else None


def _aggregation(region: Region) -> Iterator[OobSwitch]:
    if region.oob is None:
        return
    for n in range(1, region.oob.aggregation + 1):
        yield OobSwitch(
            name=oob_aggregation_name(region.region, n),
            role=OobRole.AGGREGATION,
            model=region.oob.switch,
            rack=None,
            number=n,
            address=address(region.pools.oob.switches, region.oob.first_id + n - 1),
            asn=_asn(region, n),
        )


def _in_racks(region: Region, racks: Sequence[RackPlan], kinds: Mapping[str, _Kind]) -> Iterator[OobSwitch]:
    oob = region.pools.oob
    for rack in racks:
        kind = kinds[rack.profile]
        if kind.switch is None:
            continue
        block = rack_block(oob.racks, oob.rack_prefix, rack.id)
        inside = (item for item in kind.items if item.kind is OobKind.SWITCH and item.offset)
        for n, item in enumerate(inside, start=1):
            number = rack_switch_number(rack.id, n)
            yield OobSwitch(
                name=f"{rack.name}-{item.device}",
                role=OobRole.RACK,
                model=kind.switch.switch,
                rack=rack.name,
                number=number,
                address=str(block[item.offset or 0]),
                asn=_asn(region, number),
            )


def _cables(
    region: Region,
    racks: Sequence[RackPlan],
    kinds: Mapping[str, _Kind],
    plugs: Sequence[tuple[OobEndpoint, str]],
    spots: Spots,
) -> Iterator[NetworkCable]:
    for endpoint, plug in plugs:
        yield NetworkCable(
            a_device=endpoint.device,
            a_port=plug,
            b_device=endpoint.switch,
            b_port=endpoint.port,
            network=Network.OOB,
            rail=None,
            run=SLOW["in-rack"],
        )
    gathers = region.catalogue.switch(region.oob.switch) if region.oob else None
    if gathers is None:
        return
    places = {place.rack: place for place in spots.topology.racks}
    for rack in racks:
        kind = kinds[rack.profile]
        if kind.switch is None or kind.profile.oob_switches is None:
            continue
        up = uplink_port(kind.switch, gathers)
        room = spots.room((rack.id - 1) // gathers.ports * gathers.ports + 1)
        run = run_between(spots.rack(places[rack.name]), room, FAST if up > kind.switch.ports else SLOW)
        for n in range(1, kind.profile.oob_switches.count + 1):
            switch, port = aggregation_port(rack.id, n, gathers.ports)
            yield NetworkCable(
                a_device=rack_switch_name(rack.name, n),
                a_port=kind.ports[up],
                b_device=oob_aggregation_name(region.region, switch),
                b_port=port_name(gathers, port),
                network=Network.OOB,
                rail=None,
                run=run,
            )
