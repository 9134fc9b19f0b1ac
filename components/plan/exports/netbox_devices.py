"""Every device of a region as NetBox thinks of one: a kind, a role, a place in a rack, addresses on interfaces."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from components.plan.model import RegionPlan
from components.plan.networks.model import OobEndpoint
from components.spec.oob_layout import OobKind

Addresses = Mapping[str, tuple[str, str]]
"""Interface -> address, and the name that leads to it."""

OWN = "mgmt"
"""The management interface of a device that is one with its controller."""
LOOPBACK = "lo"

BUILT_IN: Mapping[OobKind, tuple[str, str]] = {
    OobKind.NVLINK_BMC: ("nvlink-switch", "nvlink"),
    OobKind.POWER_SHELF: ("power-shelf", "power-shelf"),
    OobKind.PDU: ("pdu", "pdu"),
}
"""Kind of the endpoint that stands for a device built into a rack -> its role, and what it is in drawings."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A row of NetBox's devices."""

    name: str
    kind: str
    role: str
    serial: str = ""
    rack: str = ""
    unit: int = 0
    """Lowest rack unit; 0 where it is not known."""
    height_u: int = 1
    addresses: Addresses = field(default_factory=dict[str, tuple[str, str]])
    oob_interface: str = OWN


def devices(plan: RegionPlan) -> Iterator[Device]:
    """Racks' contents first, then what stands in none."""
    endpoints: dict[str, list[OobEndpoint]] = defaultdict(list)
    for endpoint in plan.networks.oob.endpoints:
        endpoints[endpoint.device].append(endpoint)
    inside: dict[str, list[str]] = defaultdict(list)
    for name, found in endpoints.items():
        inside[found[0].rack].append(name)
    models = {switch.name: switch.model for switch in plan.networks.oob.switches}
    for rack in plan.racks:
        standing = {(t.what, t.number): t for t in plan.site.profile(rack.profile).standing}
        hosts = {host.name: host for host in rack.hosts}
        for host in rack.hosts:
            place = standing.get(("compute", host.slot))
            yield Device(
                name=host.name,
                kind=f"{rack.profile}-tray",
                role="compute-tray",
                serial=host.serial,
                rack=rack.name,
                unit=place.unit if place else 0,
                height_u=place.height_u if place else 1,
                addresses={**_oob(endpoints[host.name]), LOOPBACK: (host.loopback, host.name)},
                oob_interface="bmc",
            )
        for name in inside[rack.name]:
            if name in hosts:
                continue
            first = endpoints[name][0]
            role, what = ("oob-switch", "oob-switch") if name in models else BUILT_IN.get(first.kind, ("other", ""))
            number = int(match[0]) if (match := re.search(r"[0-9]+$", name)) else 0
            place = next((t for (w, n), t in standing.items() if (w, n) == (what, number)), None)
            yield Device(
                name=name,
                kind=models.get(name) or f"{rack.profile}-{role}",
                role=role,
                rack=rack.name,
                unit=place.unit if place else 0,
                height_u=place.height_u if place else 1,
                addresses=_oob(endpoints[name]),
                oob_interface=next(iter(_oob(endpoints[name]))),
            )
    yield from _switches(plan, endpoints, inside)


def _switches(
    plan: RegionPlan, endpoints: Mapping[str, list[OobEndpoint]], inside: Mapping[str, list[str]]
) -> Iterator[Device]:
    known = {name for names in inside.values() for name in names}
    for switch in plan.fabric.switches:
        addresses = {OWN: (switch.oob_address, switch.name), LOOPBACK: (switch.loopback, switch.name)}
        yield Device(name=switch.name, kind=switch.model, role=f"inband-{switch.role}", addresses=addresses)
    compute = plan.networks.compute
    for switch in compute.switches if compute else ():
        addresses = _oob(endpoints[switch.name]) if switch.name in endpoints else {}
        kind = compute.model if compute else ""
        yield Device(name=switch.name, kind=kind, role=f"compute-{switch.tier}", addresses=addresses)
    for switch in plan.networks.oob.switches:
        if switch.name not in known:
            addresses = {OWN: (switch.address, switch.name)}
            yield Device(name=switch.name, kind=switch.model, role=f"oob-{switch.role}", addresses=addresses)


def _oob(endpoints: list[OobEndpoint]) -> dict[str, tuple[str, str]]:
    return {e.name.removeprefix(e.device).removeprefix("-") or OWN: (e.address, e.name) for e in endpoints}


def kind_slug(kind: str) -> str:
    """As NetBox's slugs are written."""
    return re.sub(r"[^a-z0-9_-]+", "-", kind.lower())
