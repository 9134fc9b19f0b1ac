"""Rules on what a rack has on the out-of-band network: room for its addresses, ports for its cables."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.derive import oob_ports
from components.spec.catalogue.rack import RackProfile
from components.spec.oob_layout import (
    CAPACITY,
    OobItem,
    aggregation_port,
    counts_of,
    items_of,
    uplink_port,
)
from components.spec.rack import Rack
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


def _kinds(region: Region) -> Iterator[tuple[int, Rack, RackProfile]]:
    """The first rack of each known profile."""
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    told: set[str] = set()
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        if profile and rack.profile not in told:
            told.add(rack.profile)
            yield r, rack, profile


def addresses_text(profile: RackProfile) -> str:
    """`18 x 5 + 9 x 3 + 8 + 2 = 127`."""
    counts = counts_of(profile)
    tray = 1 + 2 * counts["DPUs of a tray"]
    parts = [f"{profile.slots} x {tray}" if tray > 1 else str(profile.slots)]
    if counts["NVLink switch trays"]:
        parts.append(f"{counts['NVLink switch trays']} x {counts['processors of a switch tray']}")
    parts += [str(counts[key]) for key in ("power shelves", "switches", "PDUs") if counts[key]]
    return f"{' + '.join(parts)} = {len(addressed(profile))}"


def addressed(profile: RackProfile) -> list[OobItem]:
    """Everything of a full rack that has an address in the rack's block."""
    return [item for item in items_of(profile) if item.offset is not None]


@rule("oob-layout-full", "racks", "catalogue")
def layout_has_room(region: Region) -> Iterator[Fault]:
    """A rack has no more of anything than its block of addresses has places for.

    Example: 65 PDUs in a rack.
    """
    for r, _, profile in _kinds(region):
        for what, count in counts_of(profile).items():
            if count > CAPACITY[what]:
                yield Fault(
                    at=("racks", r, "profile"),
                    message=f"the layout of a rack's addresses has no room for so many {what}",
                    found=str(count),
                    allowed=f"at most {CAPACITY[what]}",
                    remedy="describe the hardware as two racks",
                )


@rule("oob-rack-block-small", "racks", "catalogue", "pools", "oob")
def blocks_hold_racks(region: Region) -> Iterator[Fault]:
    """A rack's block holds all its addresses, and a gateway where the rack's own switches route it.

    Example: the 127 addresses of a GB200 rack in a /25.
    """
    prefix = region.pools.oob.rack_prefix
    size = 1 << (32 - prefix)
    slots: dict[str, int] = {}
    for rack in region.racks:
        slots[rack.profile] = max(slots.get(rack.profile, 0), *(tray.slot for tray in rack.trays))
    for _, _, profile in _kinds(region):
        if any(count > CAPACITY[what] for what, count in counts_of(profile).items()):
            continue
        routed = bool(region.oob and profile.oob_switches)
        inside = [i for i in addressed(profile) if i.slot is None or i.slot <= slots[profile.profile]]
        last = max((item.offset or 0) for item in inside)
        # The gateway and the broadcast address end a routed block.
        needed = last + 1 + (2 if routed else 0)
        if needed > size:
            fits = 32 - (needed - 1).bit_length()
            yield Fault(
                at=("pools", "oob", "rack_prefix"),
                message=f"the block of a rack of {profile.profile} is too small for its out-of-band addresses",
                found=f"/{prefix}: {size} addresses, {max(0, size - 2)} of them for devices",
                allowed=f"at most /{fits}: {addresses_text(profile)} addresses, the last at {last} from the start"
                + (", and a gateway" if routed else ""),
                remedy="set it before the region holds anything: all blocks move with it",
            )


@rule("oob-rack-ports-short", "racks", "catalogue", "oob")
def switches_have_ports(region: Region) -> Iterator[Fault]:
    """The switches in a rack have a port for each of its cables beside their uplink.

    Example: 48 cables to a switch of 48 ports, of which one is the uplink.
    """
    gathers = region.catalogue.switch(region.oob.switch) if region.oob else None
    for r, _, profile in _kinds(region):
        fitted = profile.oob_switches
        switch = region.catalogue.switch(fitted.model) if fitted else None
        if fitted is None or switch is None:
            continue
        taken = 1 if gathers and uplink_port(switch, gathers) <= switch.ports else 0
        ports, needed = fitted.count * (switch.ports - taken), oob_ports(profile)
        # More than all ports is the catalogue's mistake, and told there.
        if ports < needed <= fitted.count * switch.ports:
            yield Fault(
                at=("racks", r, "profile"),
                message=f"the out-of-band switches of a rack of {profile.profile} have fewer ports than cables",
                found=f"{needed} cables",
                allowed=f"at most {ports}: {fitted.count} x {switch.ports - taken} ports of {switch.switch}, less the uplink",
                remedy="fit the rack with another switch",
            )


@rule("oob-aggregation-short", "racks", "catalogue", "oob")
def aggregation_has_ports(region: Region) -> Iterator[Fault]:
    """Every rack id has its ports on a pair of aggregation switches.

    Example: rack id 97 with four switches of 48 ports.
    """
    gathers = region.catalogue.switch(region.oob.switch) if region.oob else None
    if region.oob is None or gathers is None:
        return
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    worst: tuple[int, int, int] | None = None
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        if profile and profile.oob_switches:
            needed, _ = aggregation_port(rack.id, profile.oob_switches.count, gathers.ports)
            worst = max(worst or (0, 0, 0), (needed, rack.id, r))
    if worst and worst[0] > region.oob.aggregation:
        needed, last, _ = worst
        yield Fault(
            at=("oob", "aggregation"),
            message="the out-of-band switches of some racks have nothing to hang on",
            found=str(region.oob.aggregation),
            allowed=f"at least {needed}: a pair serves {gathers.ports} rack ids, and the last is {last}",
            remedy="add switches; those that are there keep their ids and ports",
        )


RULES = (layout_has_room, blocks_hold_racks, switches_have_ports, aggregation_has_ports)
