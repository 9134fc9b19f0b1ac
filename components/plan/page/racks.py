"""Racks as the page's pictures need them: where each stands, what it belongs to, what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

from components.plan.model import HostPlan, RackPlan, RegionPlan, TrayRole
from components.plan.site import ProfilePlan

LETTERS: Mapping[TrayRole, str] = {TrayRole.GPU_WORKER: "w", TrayRole.CONTROL_PLANE: "c", TrayRole.SPARE: "s"}
EMPTY = "-"
"""A slot without a tray."""
COLUMNS = (
    "name",
    "hall",
    "row",
    "position",
    "profile",
    "unit",
    "island",
    "cluster",
    "feed",
    "kw",
    "nameplate",
    "block",
    "addresses",
    "image",
    "protect",
    "trays",
    "bmc",
    "loopback",
    "serials",
    "leaves",
    "gpus",
    "spares",
    "domain",
)
"""Of the table of racks; a table says each name once, not once a rack."""


def rack_table(plan: RegionPlan) -> dict[str, Any]:
    """All racks in the order of the plan."""
    switches = {switch.name: index for index, switch in enumerate(plan.fabric.switches)}
    halls = {hall.name: index for index, hall in enumerate(plan.site.halls)}
    profiles = {profile.name: index for index, profile in enumerate(plan.site.profiles)}
    images = sorted({rack.image for rack in plan.racks})
    clusters = {cut.number: index for index, cut in enumerate(plan.topology.clusters)}
    places = {place.rack: place for place in plan.topology.racks}
    power = {
        rack.rack: (index, rack)
        for index, feed in enumerate(plan.power.feeds)
        for row in feed.rows
        for rack in row.racks
    }
    addresses = Counter(endpoint.rack for endpoint in plan.networks.oob.endpoints)
    rows: list[list[Any]] = []
    for rack in plan.racks:
        place, profile = places[rack.name], plan.site.profile(rack.profile)
        feed, drawn = power.get(rack.name, (None, None))
        rows.append(
            [
                rack.name,
                halls[place.hall],
                place.row,
                place.position,
                profiles[rack.profile],
                place.unit,
                place.island,
                clusters[place.cluster],
                feed,
                drawn.draw.held_kw if drawn else None,
                drawn.draw.nameplate_kw if drawn else None,
                rack.oob_block,
                addresses[rack.name],
                images.index(rack.image),
                int(rack.protect),
                _letters(rack, profile),
                _run([host.bmc_address for host in rack.hosts], rack.hosts),
                _run([host.loopback for host in rack.hosts], rack.hosts),
                [host.serial for host in rack.hosts] if any(host.is_received for host in rack.hosts) else 0,
                sorted({switches[leaf] for host in rack.hosts for leaf in host.leaves}),
                place.gpus,
                place.spare_gpus,
                place.nvlink_domain,
            ]
        )
    return {"columns": COLUMNS, "images": images, "rows": rows}


def profile_list(plan: RegionPlan) -> list[dict[str, Any]]:
    """Kinds of racks, with what stands where."""
    return [
        {
            "name": profile.name,
            "model": profile.gpu_model,
            "gpus": profile.gpus_per_tray,
            "slots": profile.slots,
            "units": profile.units_u,
            "cooling": profile.cooling,
            "drawn": profile.is_drawn,
            "standing": [[s.unit, s.height_u, s.what, s.number] for s in profile.standing],
        }
        for profile in plan.site.profiles
    ]


def _letters(rack: RackPlan, profile: ProfilePlan) -> str:
    """The role of the tray in each slot, from the first."""
    roles = {host.slot: LETTERS[host.role] for host in rack.hosts}
    return "".join(roles.get(slot, EMPTY) for slot in range(1, max(profile.slots, *roles) + 1))


def _run(addresses: Sequence[str], hosts: Sequence[HostPlan]) -> str | list[str]:
    """The address of slot 1 where all others count on from it, which is how addresses are made; else each."""
    first = int(IPv4Address(addresses[0])) - (hosts[0].slot - 1)
    counted = [str(IPv4Address(first + host.slot - 1)) for host in hosts]
    return str(IPv4Address(first)) if counted == list(addresses) else list(addresses)
