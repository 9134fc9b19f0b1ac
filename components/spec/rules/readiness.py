"""Rules on how far a region may be trusted: what is not settled, and what was delivered."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


@rule("provisional-hardware", "racks", "provisional", "catalogue")
def unsettled_hardware_is_marked(region: Region) -> Iterator[Fault]:
    """A region with racks that their maker has not settled says that it is provisional.

    Example: Vera Rubin racks in a region without `provisional: true`.
    """
    if region.provisional:
        return
    unsettled = {profile.profile for profile in region.catalogue.racks if profile.provisional}
    for r, rack in enumerate(region.racks):
        if rack.profile in unsettled:
            yield Fault(
                at=("racks", r, "profile"),
                message="figures of this rack are not published yet, and the region is to be brought up with them",
                found=rack.profile,
                allowed="settled profiles, or `provisional: true` for the region",
                remedy="mark the region provisional: it is planned then, and never brought up",
            )


@rule("provisional-software", "racks", "images", "drivers", "provisional", "catalogue")
def unsettled_software_is_marked(region: Region) -> Iterator[Fault]:
    """A region whose driver is known from a provisional software set only says that it is provisional.

    Example: driver 595.91.07 in a region that is brought up.
    """
    if region.provisional:
        return
    systems = {(image.os, image.arch) for image in region.images.values()}
    sets = [s for s in region.catalogue.software if s.driver == region.drivers.nvidia and (s.os, s.arch) in systems]
    if sets and all(each.provisional for each in sets):
        yield Fault(
            at=("drivers", "nvidia"),
            message="this driver is known from a set that is not settled",
            found=f"{region.drivers.nvidia} ({', '.join(each.software for each in sets)})",
            allowed="a driver of a settled set, or `provisional: true` for the region",
            remedy="take another driver, or mark the region provisional",
        )


@rule("received-unknown", "region", "racks", "pools", "catalogue", "received", "compute")
def delivered_hardware_has_a_place(region: Region) -> Iterator[Fault]:
    """The list of delivered hardware names racks and slots of the region only, and its InfiniBand switches.

    Example: serial numbers for ess-r251, where the series ends with ess-r250.
    """
    slots = {rack.name: {str(tray.slot) for tray in rack.trays} for rack in region.racks}
    beside = f"{region.region}-ib-" if region.compute else None
    unknown = [name for name in region.delivered if name not in slots]
    strange = [name for name in unknown if not (beside and name.startswith(beside))]
    strange += [
        f"slot {slot} of {rack}"
        for rack, trays in region.delivered.items()
        for slot in trays
        if rack in slots and slot not in slots[rack]
    ]
    if strange:
        yield Fault(
            at=("received",),
            message=f"the list of delivered hardware names {len(strange)} places that the region does not have",
            found=", ".join(strange[:5]) + (", ..." if len(strange) > 5 else ""),
            allowed=f"the {len(slots)} racks of the region, and the slots that hold a tray",
            remedy="correct the list, or describe these racks first; an InfiniBand switch has its name and the slot `mgmt`",
        )


RULES = (unsettled_hardware_is_marked, unsettled_software_is_marked, delivered_hardware_has_a_place)
