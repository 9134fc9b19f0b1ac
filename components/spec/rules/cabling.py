"""Rules on racks, their profiles and the ports that everything is plugged into."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.rack import RackProfile
from components.spec.derive import host_name, leaf_port
from components.spec.position import Location, text_of
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown


@rule("profile-unknown", "racks", "catalogue")
def profiles_exist(region: Region) -> Iterator[Fault]:
    """The profile of every rack is in the catalogue.

    Example: `profile: nspawn-rak`.
    """
    known = {profile.profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        if rack.profile not in known:
            yield unknown(("racks", r, "profile"), "rack profile", rack.profile, known, "the catalogue")


@rule("tray-gpus-unknown", "racks", "catalogue")
def gpus_of_trays_exist(region: Region) -> Iterator[Fault]:
    """A tray with other GPUs than its rack's kind names a kind that has as many, simulated where its own are.

    Example: `gpus_of: dgx-h200`, which has eight a tray, in a rack of servers with four.
    """
    known = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        own = known.get(rack.profile)
        for t, tray in enumerate(rack.trays):
            at = ("racks", r, "trays", t, "gpus_of")
            if tray.gpus_of is None or own is None:
                continue
            other = known.get(tray.gpus_of)
            if other is None:
                yield unknown(at, "rack profile", tray.gpus_of, known, "the catalogue")
            elif (other.tray.gpus, other.simulated) != (own.tray.gpus, own.simulated):
                yield Fault(
                    at=at,
                    message=f"trays of {own.profile} cannot have the GPUs of {other.profile}",
                    found=_gpus(other),
                    allowed=_gpus(own),
                    remedy="name a kind that has as many, or describe one in the catalogue",
                )


def _gpus(profile: RackProfile) -> str:
    return f"{profile.tray.gpus} a tray, {'simulated' if profile.simulated else 'real'}"


@rule("image-unknown", "racks", "images")
def images_exist(region: Region) -> Iterator[Fault]:
    """The image of every rack is one of `images`.

    Example: `image: basis`, where only `base` is described.
    """
    for r, rack in enumerate(region.racks):
        if rack.image not in region.images:
            yield unknown(("racks", r, "image"), "image", rack.image, region.images, "images")


@rule("slot-beyond-profile", "racks", "catalogue")
def slots_exist(region: Region) -> Iterator[Fault]:
    """Every tray is in a slot that the rack's profile has.

    Example: `slot: 5` in a rack of four.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        for t, tray in enumerate(rack.trays):
            if profile and tray.slot > profile.slots:
                yield Fault(
                    at=("racks", r, "trays", t, "slot"),
                    message=f"a rack of profile {profile.profile} has no such slot",
                    found=str(tray.slot),
                    allowed=f"1 to {profile.slots}",
                    remedy="correct the slot, or the rack's profile",
                )


@rule("rack-beyond-stride", "racks", "catalogue", "pools")
def racks_fit_stride(region: Region) -> Iterator[Fault]:
    """Host ids of a rack may not run into those of the next.

    Example: a rack of 18 slots where `slots_per_rack` is 16.
    """
    stride = region.pools.slots_per_rack
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        if profile and profile.slots > stride:
            yield Fault(
                at=("racks", r, "profile"),
                message="the rack has more slots than a rack of this region has host ids",
                found=f"{profile.slots} slots",
                allowed=f"at most {stride} (pools.slots_per_rack)",
                remedy="this cannot be widened later, as all addresses follow from it: use smaller racks here,"
                " or set it before the region holds anything",
            )


@rule("nic-count", "racks", "catalogue")
def macs_match_nics(region: Region) -> Iterator[Fault]:
    """A tray that was received has one MAC address for each network card of its profile.

    Example: two addresses for a tray with eth0, eth1 and eth2.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        for t, tray in enumerate(rack.trays):
            if profile and (tray.serial or tray.macs) and len(tray.macs) != len(profile.tray.nics):
                yield Fault(
                    at=("racks", r, "trays", t, "macs"),
                    message="a tray has one MAC address for each network card of its profile",
                    found=str(len(tray.macs)),
                    allowed=f"{len(profile.tray.nics)}: {', '.join(profile.tray.nics)}",
                    remedy="complete the list in this order",
                )


@rule("leaf-unknown", "racks", "fabric")
def leaves_exist(region: Region) -> Iterator[Fault]:
    """Every leaf that a rack names is in the fabric.

    Example: `leaves: [lab-leaf1, lab-leaf3]`, where there are two.
    """
    known = {leaf.name for leaf in region.fabric.leaves}
    for r, rack in enumerate(region.racks):
        for n, leaf in enumerate(rack.leaves):
            if leaf not in known:
                yield unknown(("racks", r, "leaves", n), "leaf", leaf, known, "fabric.leaves")


@rule("leaf-twice", "racks", partial=True)
def leaves_differ(region: Region) -> Iterator[Fault]:
    """A rack names each leaf once, or its hosts would hang on one switch.

    Example: `leaves: [lab-leaf1, lab-leaf1]`.
    """
    for r, rack in enumerate(region.racks):
        for n, leaf in enumerate(rack.leaves):
            if leaf in rack.leaves[:n]:
                yield Fault(
                    at=("racks", r, "leaves", n),
                    message="the rack names this leaf twice, so its hosts would hang on one switch",
                    found=leaf,
                    allowed="different leaves",
                    remedy="name the other leaf of the pair",
                )


@rule("leaf-count", "racks", "catalogue")
def leaves_match_uplinks(region: Region) -> Iterator[Fault]:
    """A rack names one leaf for each uplink of its trays.

    Example: one leaf for trays with two uplinks.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        uplinks = profile.tray.uplinks if profile else ()
        if profile and len(rack.leaves) != len(uplinks):
            yield Fault(
                at=("racks", r, "leaves"),
                message="a rack has one leaf for each uplink of its trays",
                found=str(len(rack.leaves)),
                allowed=f"{len(uplinks)}: for {', '.join(uplinks)}",
                remedy="name one leaf for each uplink, in this order",
            )


@rule("port-used-twice", "racks", "fabric")
def ports_are_free(region: Region) -> Iterator[Fault]:
    """Every port of every switch holds one cable.

    Example: an edge link in swp3 of a leaf whose third host is there.
    """
    used: dict[tuple[str, str], str] = {}
    for switch, port, what, location in _ports(region):
        taken = used.setdefault((switch, port), what)
        if taken != what:
            yield Fault(
                at=location,
                message=f"{port} of {switch} is already taken by {taken}",
                found=what,
                allowed="one cable in each port",
                remedy="choose a free port; hosts take those from the rack's first_leaf_port on",
            )


def _ports(region: Region) -> Iterator[tuple[str, str, str, Location]]:
    fabric = region.fabric
    for s, spine in enumerate(fabric.spines):
        for n, leaf in enumerate(fabric.leaves):
            if leaf.plane != spine.plane:
                continue
            yield spine.name, leaf.spine_port, f"leaf {leaf.name}", ("fabric", "leaves", n, "spine_port")
            yield leaf.name, spine.leaf_port, f"spine {spine.name}", ("fabric", "spines", s, "leaf_port")
    for r, rack in enumerate(region.racks):
        for t, tray in enumerate(rack.trays):
            host = host_name(rack.name, tray.slot)
            for leaf in dict.fromkeys(rack.leaves):
                port = leaf_port(rack.first_leaf_port, tray.slot, rack.leaf_lanes)
                yield leaf, port, f"host {host}", ("racks", r, "trays", t, "slot")
    for n, leaf in enumerate(fabric.leaves):
        if leaf.edge:
            location: Location = ("fabric", "leaves", n, "edge", "port")
            yield leaf.name, leaf.edge.port, text_of(location[:-1]), location


RULES = (
    profiles_exist,
    gpus_of_trays_exist,
    images_exist,
    slots_exist,
    racks_fit_stride,
    macs_match_nics,
    leaves_exist,
    leaves_differ,
    leaves_match_uplinks,
    ports_are_free,
)
