"""Rules on identity: what must be known apart is not the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from components.spec.derive import SERVICE_NAMES, host_name
from components.spec.position import Location, text_of
from components.spec.region import Region
from components.spec.rules.rule import Fault, Rule, rule
from components.spec.services import services_of

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
        def check(region: Region) -> Iterator[Fault]:
            return _duplicates(items(region), what, remedy)

        check.__doc__ = items.__doc__
        return rule(id, needs, partial=True)(check)

    return make


@_unique("mac-duplicate", "racks", "this MAC address", "read the labels of both trays again")
def macs(region: Region) -> Iterator[Named]:
    """No two network cards have the same MAC address.

    Example: the label of one tray written down twice.
    """
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            for m, mac in enumerate(tray.macs):
                yield ("racks", r, "trays", t, "macs", m), mac
            if tray.bmc_mac:
                yield ("racks", r, "trays", t, "bmc_mac"), tray.bmc_mac


@_unique("serial-duplicate", "racks", "this serial number", "read the labels of both trays again")
def serials(region: Region) -> Iterator[Named]:
    """No two trays have the same serial number.

    Example: the label of one tray written down twice.
    """
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            if tray.serial:
                yield ("racks", r, "trays", t, "serial"), tray.serial


@rule("slot-duplicate", "racks", partial=True)
def slots(region: Region) -> Iterator[Fault]:
    """No two trays of a rack are in the same slot.

    Example: `slot: 3` twice in one rack.
    """
    for r, rack in enumerate(region.racks):
        items = ((("racks", r, "trays", t, "slot"), tray.slot) for t, tray in enumerate(rack.trays))
        yield from _duplicates(items, "this slot", "two trays cannot be in one place: correct one of them")


@_unique("rack-name-duplicate", "racks", "this name", "name one of the racks anew")
def rack_names(region: Region) -> Iterator[Named]:
    """No two racks have the same name.

    Example: a copied rack whose name was left.
    """
    return ((("racks", r, "name"), rack.name) for r, rack in enumerate(region.racks))


@_unique("rack-id-duplicate", "racks", "this id", "give the newer rack an id that was never used: addresses follow")
def rack_ids(region: Region) -> Iterator[Named]:
    """No two racks have the same id, from which addresses follow.

    Example: series with ids 1-16 and 16-20.
    """
    return ((("racks", r, "id"), rack.id) for r, rack in enumerate(region.racks))


@_unique("switch-id-duplicate", "fabric", "this id", "spines and leaves share one row of ids: take a free one")
def switch_ids(region: Region) -> Iterator[Named]:
    """No two switches of the fabric have the same id; spines and leaves share one row.

    Example: a spine and a leaf with id 1.
    """
    for s, spine in enumerate(region.fabric.spines):
        yield ("fabric", "spines", s, "id"), spine.id
    for n, leaf in enumerate(region.fabric.leaves):
        yield ("fabric", "leaves", n, "id"), leaf.id


@_unique("edge-id-duplicate", "fabric", "this edge id", "take a free one: the link's addresses follow from it")
def edge_ids(region: Region) -> Iterator[Named]:
    """No two links to the outside have the same id, from which their addresses follow.

    Example: `edge: {id: 1}` at two leaves.
    """
    for n, leaf in enumerate(region.fabric.leaves):
        if leaf.edge:
            yield ("fabric", "leaves", n, "edge", "id"), leaf.edge.id


@_unique("service-duplicate", "tenants", "this name of the tenant's", "name one of the services anew")
def services(region: Region) -> Iterator[Named]:
    """No two services of a tenant have the same name.

    Example: `ministral` twice for one tenant.
    """
    return (((*placed.at, "name"), placed.name) for placed in services_of(region))


@rule("dns-name-collision", "racks", "fabric", partial=True)
def dns_names(region: Region) -> Iterator[Fault]:
    """Hosts, switches and services of the region have different names in the region's zone.

    Example: a switch named `registry`.
    """
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
    yield from _duplicates(items, "the DNS name that this gives", "rename one of the two")


RULES = (
    macs,
    serials,
    slots,
    rack_names,
    rack_ids,
    switch_ids,
    edge_ids,
    services,
    dns_names,
)
