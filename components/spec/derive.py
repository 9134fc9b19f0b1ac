"""Names and numbers that follow from a description alone.

They stand here, below the plan, because the rules must judge them: a name that is too long, an id
outside its pool. `components.plan.naming` and `components.plan.addressing` hand them to everyone else.
"""

from __future__ import annotations

import re

from components.spec.rack import Place, Rack
from components.spec.service import Sovereignty
from components.spec.site import Site

HOST_SUFFIXES = ("", "-bmc")
"""Endings of the DNS names of a tray: the host, and its BMC."""

SERVICE_NAMES = ("registry", "ironic", "apt", "images", "s3")
"""Names in the region's domain that lead to its services."""


def registry_tokens(registry: str) -> str:
    """Where the registry's tokens are issued, as host and port: beside it, on the next port."""
    host, _, port = registry.rpartition(":")
    return f"{host}:{int(port) + 1}"


STEERED_ZONES = {Sovereignty.EU: "eu", Sovereignty.ANY: "global"}
"""Class of a service that runs in several regions -> label of the zone that its name is in."""


def host_name(rack: str, slot: int) -> str:
    """`lab-r01-t01`: host name, node name in Kubernetes and in Ironic."""
    return f"{rack}-t{slot:02d}"


def host_id(rack_id: int, slot: int, slots_per_rack: int) -> int:
    """The host's number in the region, from 1; depends on its own rack and slot only."""
    return (rack_id - 1) * slots_per_rack + slot


def leaf_port(first_port: str, slot: int, lanes: int = 1) -> str:
    """The port of a slot on its leaves: slot 1 has the first port, the others follow.

    With lanes, that many slots share a port by a breakout cable: swp1s2, swp1s3, swp2s0.
    """
    pattern = r"(.*?)([0-9]+)s([0-9]+)" if lanes > 1 else r"(.*?)([0-9]+)"
    match = re.fullmatch(pattern, first_port)
    if match is None:
        raise ValueError(f"{first_port} is not a port name")
    if lanes == 1:
        return f"{match[1]}{int(match[2]) + slot - 1}"
    port, lane = divmod(int(match[2]) * lanes + int(match[3]) + slot - 1, lanes)
    return f"{match[1]}{port}s{lane}"


def edge_interface(region: str, edge_id: int) -> str:
    """The interface outside the fabric that an edge link ends on."""
    return f"{region}-edge{edge_id}"


def oob_bridge(region: str) -> str:
    """The bridge of the out-of-band network on a bench machine."""
    return f"{region}-oob"


def tenant_namespace(tenant: str) -> str:
    """The namespace of a tenant."""
    return f"tenant-{tenant}"


def tenant_bucket(region: str, tenant: str) -> str:
    """The bucket of a tenant, and the account that it belongs to; never the bucket of the region's own state."""
    return f"{region}-{tenant_namespace(tenant)}"


def service_host(service: str, tenant: str, domain: str) -> str:
    """The host name of a service: below the tenant's own name, for which one certificate is enough."""
    return f"{service}.{tenant}.{domain}"


def steered_domain(tenant: str, sovereignty: Sovereignty, domain: str) -> str:
    """`<tenant>.eu.<domain>` or `<tenant>.global.<domain>`: a tenant's names over several regions, by class.

    The class is in the name, so that everyone who holds it sees where it may be answered from.
    """
    return f"{tenant}.{STEERED_ZONES[sovereignty]}.{domain}"


def place_of(site: Site, rack: Rack) -> Place | None:
    """Where the rack stands: as written, or counted by its id over the halls, row by row; None beyond the
    last place, which a rule reports."""
    return rack.place or counted_place(site, rack.id)


def counted_place(site: Site, rack_id: int) -> Place | None:
    """The place that a rack id counts to, whether or not a rack stands there."""
    number = rack_id - 1
    for hall in site.halls:
        if number < hall.places:
            row, position = divmod(number, hall.racks_per_row)
            return Place(hall=hall.name, row=row + 1, position=position + 1)
        number -= hall.places
    return None
