"""The region as files for NetBox's bulk import (CSV), numbered in the order in which they are imported.

Columns are those of the import forms of NetBox 4.7. What the catalogue does not know is left to NetBox's
defaults: a rack whose height is unknown, a port whose form is. Makers are not in the catalogue either, so
all kinds of hardware stand under one that names it. Interfaces and cables come by the hundred thousand, so
they are in a file for each rack, and one for what stands in none.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.plan.exports.netbox_devices import LOOPBACK, Device, devices, kind_slug
from components.plan.model import RegionPlan
from components.plan.naming import EDGE
from components.plan.networks.model import Network, NetworkCable
from components.plan.ordering import natural

MAKER = "Catalogue"
INTERFACE = "dcim.interface"
MEDIA = {"copper": "dac-passive", "twisted pair": "cat6", "multimode fibre": "mmf", "single-mode fibre": "smf"}
INFINIBAND = {400.0: "infiniband-ndr-4x", 800.0: "infiniband-xdr-4x"}
UNKNOWN_RACK = "fabric"

Rows = Iterable[Mapping[str, Any]]


def netbox(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """`<number>-<what>.csv`, and folders of them where there is one for each rack."""
    found = list(devices(plan))
    yield "01-sites.csv", table([_site(plan)])
    yield "02-locations.csv", table(_locations(plan))
    yield "03-manufacturers.csv", table([{"name": MAKER, "slug": "catalogue"}])
    yield "04-device-types.csv", table(_device_types(found))
    yield "05-device-roles.csv", table(_roles(found))
    yield "06-racks.csv", table(_racks(plan))
    halls = {place.rack: _hall(plan, place.hall) for place in plan.topology.racks}
    yield "07-devices.csv", table(_device(device, plan, halls) for device in found)
    rack_of = {device.name: device.rack or UNKNOWN_RACK for device in found}
    interfaces = _interfaces(plan, found)
    for rack, rows in _by_rack(interfaces, "device", rack_of):
        yield f"08-interfaces/{rack}.csv", table(rows)
    yield "09-prefixes.csv", table(_prefixes(plan))
    yield "10-ip-addresses.csv", table(_addresses(found, plan))
    cables = (_cable(cable) for cable in plan.networks.cables if EDGE not in (cable.a_device, cable.b_device))
    for rack, rows in _by_rack(cables, "side_a_device", rack_of):
        yield f"11-cables/{rack}.csv", table(rows)


def table(rows: Rows) -> str:
    """CSV with a line of column names."""
    stream = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(stream, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return stream.getvalue()


def _by_rack(rows: Rows, column: str, rack_of: Mapping[str, str]) -> Iterator[tuple[str, Rows]]:
    shards: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        shards[rack_of[row[column]]].append(row)
    yield from sorted(shards.items())


def _site(plan: RegionPlan) -> dict[str, Any]:
    site = plan.site
    return {
        "name": site.name,
        "slug": site.name,
        "status": "active",
        "latitude": site.latitude,
        "longitude": site.longitude,
        "description": f"region {plan.region}, {site.country}",
    }


def _hall(plan: RegionPlan, hall: str) -> str:
    return f"{plan.site.name}-{hall}"


def _locations(plan: RegionPlan) -> Rows:
    for hall in plan.site.halls:
        name = _hall(plan, hall.name)
        yield {"site": plan.site.name, "name": name, "slug": name, "status": "active"}


def _device_types(found: Iterable[Device]) -> Rows:
    kinds = {device.kind: device.height_u for device in found}
    for kind in sorted(kinds):
        yield {"manufacturer": MAKER, "model": kind, "slug": kind_slug(kind), "u_height": kinds[kind]}


def _roles(found: Iterable[Device]) -> Rows:
    for role in sorted({device.role for device in found}):
        yield {"name": role, "slug": role, "color": "607d8b"}


def _racks(plan: RegionPlan) -> Rows:
    places = {place.rack: place for place in plan.topology.racks}
    for rack in plan.racks:
        place = places[rack.name]
        yield {
            "site": plan.site.name,
            "location": _hall(plan, place.hall),
            "name": rack.name,
            "facility_id": f"{place.hall}-{place.row:02d}-{place.position:02d}",
            "status": "active",
            "u_height": plan.site.profile(rack.profile).units_u,
            "description": rack.profile,
        }


def _device(device: Device, plan: RegionPlan, halls: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": device.name,
        "role": device.role,
        "manufacturer": MAKER,
        "device_type": device.kind,
        "serial": device.serial,
        "status": "active" if device.serial else "planned",
        "site": plan.site.name,
        "location": halls.get(device.rack, ""),
        "rack": device.rack,
        "position": device.unit or "",
        "face": "front" if device.unit else "",
    }


def _interfaces(plan: RegionPlan, found: Iterable[Device]) -> list[dict[str, Any]]:
    """Every port with a cable, and every one with an address."""
    ports: dict[str, dict[str, str]] = defaultdict(dict)
    for cable in plan.networks.cables:
        kind = _port_kind(cable, plan)
        ports[cable.a_device][cable.a_port] = kind
        ports[cable.b_device][cable.b_port] = kind
    management: dict[str, set[str]] = defaultdict(set)
    for device in found:
        for interface in device.addresses:
            ports[device.name].setdefault(interface, "other")
            if interface != LOOPBACK:
                management[device.name].add(interface)
    return [
        {
            "device": device.name,
            "name": name,
            "type": ports[device.name][name],
            "mgmt_only": "true" if name in management[device.name] else "false",
        }
        for device in found
        for name in sorted(ports[device.name], key=natural)
    ]


def _port_kind(cable: NetworkCable, plan: RegionPlan) -> str:
    if cable.network is Network.OOB:
        return "1000base-t" if cable.run.media in ("twisted pair", "copper") else "other"
    if cable.network is Network.COMPUTE and plan.networks.compute:
        return INFINIBAND.get(float(plan.networks.compute.speed_gbps), "other")
    return "other"


def _prefixes(plan: RegionPlan) -> Rows:
    named = {plan.oob.network: "out-of-band", **dict.fromkeys(plan.fabric.prefixes, "routed in the fabric")}
    named |= {share.block: f"out-of-band of {share.rack}" for share in plan.networks.oob.racks}
    for prefix, description in named.items():
        yield {"prefix": prefix, "status": "active", "description": description}


def _addresses(found: Iterable[Device], plan: RegionPlan) -> Rows:
    for device in found:
        for interface, (address, name) in device.addresses.items():
            yield {
                "address": f"{address}/32",
                "status": "active",
                "device": device.name,
                "interface": interface,
                "is_oob": "true" if interface == device.oob_interface else "false",
                "dns_name": f"{name}.{plan.domain}",
            }


def _cable(cable: NetworkCable) -> dict[str, Any]:
    return {
        "side_a_device": cable.a_device,
        "side_a_type": INTERFACE,
        "side_a_name": cable.a_port,
        "side_b_device": cable.b_device,
        "side_b_type": INTERFACE,
        "side_b_name": cable.b_port,
        "type": MEDIA[cable.run.media],
        "status": "planned",
        "label": str(cable.network) if cable.rail is None else f"{cable.network} rail {cable.rail}",
        "length": cable.run.length_m,
        "length_unit": "m",
    }
