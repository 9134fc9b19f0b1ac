"""Numbers that follow from a profile alone."""

from __future__ import annotations

from dataclasses import dataclass

from components.spec.catalogue.rack import Occupant, RackProfile
from components.spec.catalogue.switch import SwitchProfile


@dataclass(frozen=True, kw_only=True)
class OobCount:
    """What a full rack has on the out-of-band network, by kind."""

    tray_bmcs: int
    hosts: int
    """Of hosts that have an out-of-band port themselves."""
    dpu_bmcs: int
    dpu_hosts: int
    """The computers on the DPUs."""
    nvlink_processors: int
    power_shelves: int
    switches: int
    pdus: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(vars(self).values())


def oob_addresses(profile: RackProfile) -> OobCount:
    """Addresses that a full rack needs: 127 for a rack of 18 trays with two DPUs each."""
    dpus = profile.slots * len(profile.tray.dpus)
    nvlink = profile.nvlink
    return OobCount(
        tray_bmcs=profile.slots,
        hosts=profile.slots if profile.tray.has_oob_nic else 0,
        dpu_bmcs=dpus,
        dpu_hosts=dpus,
        nvlink_processors=nvlink.switch_trays * nvlink.managed_per_tray if nvlink else 0,
        power_shelves=profile.power_shelves.count if profile.power_shelves else 0,
        switches=profile.oob_switches.count if profile.oob_switches else 0,
        pdus=profile.pdus.count if profile.pdus else 0,
    )


def oob_ports(profile: RackProfile) -> int:
    """Ports of out-of-band switches that a full rack takes: a DPU's BMC and computer share one, and the
    switches' own management ports are not counted."""
    count = oob_addresses(profile)
    return count.total - count.dpu_hosts - count.switches


def planned_kw(profile: RackProfile, trays: int) -> float | None:
    """Planned draw with so many trays, kW. Only servers draw by the piece: a rack with a busbar and NVLink
    switches is planned whole. None where the profile does not know."""
    if profile.power is None:
        return None
    if profile.power.tray_kw is not None:
        return trays * profile.power.tray_kw
    return profile.power.planned_kw


@dataclass(frozen=True, kw_only=True)
class Place:
    """One thing in a rack."""

    unit: int
    """Lowest rack unit, from 1 at the floor."""
    height_u: int
    what: Occupant
    number: int


def elevation(profile: RackProfile) -> tuple[Place, ...]:
    """All that stands in the rack, from the floor up."""
    places = (
        Place(unit=run.unit + k * run.height_u, height_u=run.height_u, what=run.what, number=run.number + k)
        for run in profile.elevation
        for k in range(run.count)
    )
    return tuple(sorted(places, key=lambda place: place.unit))


def port_name(switch: SwitchProfile, port: int, lane: int | None = None) -> str:
    """What the switch's operating system calls a port, or a part of a split one.

    Ports count from 1; parts as the system counts them, which is from 0 in Cumulus and SONiC.
    """
    last = switch.ports + (switch.uplinks.count if switch.uplinks else 0)
    if not 1 <= port <= last:
        raise ValueError(f"{switch.switch} has ports 1 to {last}, not {port}")
    pattern = switch.port_name if lane is None else switch.lane_name
    if pattern is None:
        raise ValueError(f"ports of {switch.switch} cannot be split")
    cage, place = divmod(port - 1, switch.ports_per_cage)
    return pattern.format(port=port, cage=cage + 1, lane=place + 1 if lane is None else lane)
