"""Rules on identity: what must be known apart is not the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from components.spec.derive import SERVICE_NAMES, host_name
from components.spec.position import Location, text_of
from components.spec.region import Region
from components.spec.rules.rule import Check, Fault, Rule, rule

Named = tuple[Location, Hashable]


def _duplicates(items: Iterable[Named], what: str, remedy: str) -> Iterator[Fault]:
    """A fault for each value that was there before; both places are named."""
    first: dict[Hashable, Location] = {}
    for location, value in items:
        if value in first:
            yield Fault(
                at=location,
                message=f"{what} is already that of {text_of(first[value])}",
                found=str(value),
                allowed="each once in the region",
                remedy=remedy,
            )
        else:
            first[value] = location


def _unique(id: str, needs: str, what: str, remedy: str) -> Callable[[Callable[[Region], Iterable[Named]]], Rule]:
    """A rule that values are all different. Duplicates are duplicates in a part of the region too."""

    def make(items: Callable[[Region], Iterable[Named]]) -> Rule:
        check: Check = lambda region: _duplicates(items(region), what, remedy)  # noqa: E731
        return rule(id, needs, partial=True)(check)

    return make


@_unique("mac-duplicate", "racks", "this MAC address", "read the labels of both trays again")
def macs(region: Region) -> Iterator[Named]:
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            for m, mac in enumerate(tray.macs):
                yield ("racks", r, "trays", t, "macs", m), mac
            if tray.bmc_mac:
                yield ("racks", r, "trays", t, "bmc_mac"), tray.bmc_mac


@_unique("serial-duplicate", "racks", "this serial number", "read the labels of both trays again")
def serials(region: Region) -> Iterator[Named]:
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            if tray.serial:
                yield ("racks", r, "trays", t, "serial"), tray.serial


@rule("slot-duplicate", "racks", partial=True)
def slots(region: Region) -> Iterator[Fault]:
    for r, rack in enumerate(region.racks):
        items = ((("racks", r, "trays", t, "slot"), tray.slot) for t, tray in enumerate(rack.trays))
        yield from _duplicates(items, "this slot", "two trays cannot be in one place: correct one of them")


@_unique("rack-name-duplicate", "racks", "this name", "name one of the racks anew")
def rack_names(region: Region) -> Iterator[Named]:
    return ((("racks", r, "name"), rack.name) for r, rack in enumerate(region.racks))


@_unique("rack-id-duplicate", "racks", "this id", "give the newer rack an id that was never used: addresses follow")
def rack_ids(region: Region) -> Iterator[Named]:
    return ((("racks", r, "id"), rack.id) for r, rack in enumerate(region.racks))


@_unique("switch-id-duplicate", "fabric", "this id", "spines and leaves share one row of ids: take a free one")
def switch_ids(region: Region) -> Iterator[Named]:
    for s, spine in enumerate(region.fabric.spines):
        yield ("fabric", "spines", s, "id"), spine.id
    for n, leaf in enumerate(region.fabric.leaves):
        yield ("fabric", "leaves", n, "id"), leaf.id


@_unique("edge-id-duplicate", "fabric", "this edge id", "take a free one: the link's addresses follow from it")
def edge_ids(region: Region) -> Iterator[Named]:
    for n, leaf in enumerate(region.fabric.leaves):
        if leaf.edge:
            yield ("fabric", "leaves", n, "edge", "id"), leaf.edge.id


@_unique("namespace-duplicate", "cluster", "this name", "name one of the namespaces anew")
def namespaces(region: Region) -> Iterator[Named]:
    return ((("cluster", "namespaces", n, "name"), each.name) for n, each in enumerate(region.cluster.namespaces))


@_unique("service-duplicate", "runtime", "this name in this namespace", "name one of the services anew")
def services(region: Region) -> Iterator[Named]:
    for s, service in enumerate(region.runtime.services):
        yield ("runtime", "services", s, "name"), f"{service.namespace}/{service.name}"


@_unique("service-host-duplicate", "runtime", "this host name", "the gateway tells services apart by it: change one")
def service_hosts(region: Region) -> Iterator[Named]:
    return ((("runtime", "services", s, "host"), each.host) for s, each in enumerate(region.runtime.services))


@rule("dns-name-collision", "racks", "fabric", "runtime", "site", partial=True)
def dns_names(region: Region) -> Iterator[Fault]:
    """Hosts, switches, tenant services and the region's own services share one zone."""
    items: list[Named] = [(("services",), name) for name in SERVICE_NAMES]
    items += [(("fabric", "spines", s, "name"), spine.name) for s, spine in enumerate(region.fabric.spines)]
    items += [(("fabric", "leaves", n, "name"), leaf.name) for n, leaf in enumerate(region.fabric.leaves)]
    seen: set[str] = set()
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            host = host_name(rack.name, tray.slot)
            # The same name twice from one rack is the rule of slots, or of rack names.
            if host not in seen:
                items += [(("racks", r, "trays", t), host), (("racks", r, "trays", t), f"{host}-bmc")]
            seen.add(host)
    hosts: set[str] = set()
    for s, service in enumerate(region.runtime.services):
        name = service.host.removesuffix(f".{region.site.domain}")
        if name not in hosts:
            items.append((("runtime", "services", s, "host"), name))
        hosts.add(name)
    yield from _duplicates(items, "the DNS name that this gives", "rename one of the two")


RULES = (
    macs,
    serials,
    slots,
    rack_names,
    rack_ids,
    switch_ids,
    edge_ids,
    namespaces,
    services,
    service_hosts,
    dns_names,
)
