"""From a region and the list of what was delivered to the work list of a bring-up; says all that does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from components.errors import Problem, SpecError
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.bring_up import BringUp
from components.spec.catalogue.firmware import Endpoint, FirmwareBaseline
from components.spec.catalogue.rack import RackProfile
from components.spec.draw import RackDraw, rack_draws
from components.spec.rack import Rack, Role
from components.spec.region import Region

REMEDY = "correct the supplier's list, or the region's list of received hardware"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivered:
    """One endpoint as the supplier lists it; its factory password is kept apart."""

    kind: Endpoint
    serial: str
    macs: tuple[str, ...]
    bmc_mac: str
    host: str
    """Address of its BMC."""
    port: int
    username: str


DeliveredRacks = Mapping[str, Mapping[str, Delivered]]
"""Rack -> place -> endpoint."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a bring-up of one region does, and within what."""

    racks: tuple[RackWork, ...]
    bring_up: BringUp
    baseline: FirmwareBaseline
    limits: Mapping[str, float]
    """Sort of budget -> how much of it may be held: endpoints, and kW of `feed`."""


def compile_bring_up(region: Region, delivered: DeliveredRacks, racks: Collection[str] | None = None) -> Plan:
    """The work on all racks that have a bring-up, or those named. Raises SpecError with every problem."""
    wanted = [r for r in region.racks if _bring_up(region, r) and (racks is None or r.name in racks)]
    problems = list(_problems(region, wanted, delivered, racks))
    if problems:
        raise SpecError("racks cannot be brought up from these lists; nothing has been touched", problems)
    draws = {each.rack.name: each for each in rack_draws(region)}
    bring_up = _bring_up(region, wanted[0])
    baseline = region.catalogue.baseline(_profile(region, wanted[0]).firmware or "")
    if bring_up is None or baseline is None:
        raise AssertionError("checked above")
    return Plan(
        racks=tuple(_rack(region, rack, delivered[rack.name], draws[rack.name], turns(bring_up)) for rack in wanted),
        bring_up=bring_up,
        baseline=baseline,
        limits={
            "rack": bring_up.budgets.rack,
            "nvlink": bring_up.budgets.nvlink,
            "region": bring_up.budgets.region,
            # One step of switching on is what the site's supply stands; a feed alone stands it too.
            "feed": region.power.step_kw,
        },
    )


def places(profile: RackProfile, rack: Rack) -> Iterator[tuple[str, Endpoint]]:
    """All places of a rack that have a BMC, with the kind of what stands there."""
    for tray in rack.trays:
        yield str(tray.slot), Endpoint.COMPUTE_TRAY
        for dpu in profile.tray.dpus:
            yield f"{tray.slot}/{dpu.name}", Endpoint.DPU
    for number in range(1, 1 + (profile.nvlink.switch_trays if profile.nvlink else 0)):
        yield f"nvlink/{number}", Endpoint.NVLINK_SWITCH
    for number in range(1, 1 + (profile.power_shelves.count if profile.power_shelves else 0)):
        yield f"power-shelf/{number}", Endpoint.POWER_SHELF


def turns(bring_up: BringUp) -> Mapping[Endpoint, int]:
    """Kind of endpoint -> how many kinds it waits for, one after the other, on its longest way."""
    awaited = {kind: {a.kind for step in each.steps for a in step.after} for kind, each in bring_up.kinds.items()}
    found = dict.fromkeys(awaited, 0)
    for _ in awaited:  # no way has more kinds than there are
        found = {kind: max((1 + found[each] for each in before), default=0) for kind, before in awaited.items()}
    return found


def _rack(
    region: Region, rack: Rack, delivered: Mapping[str, Delivered], draw: RackDraw, turn: Mapping[Endpoint, int]
) -> RackWork:
    profile = _profile(region, rack)
    scheme = profile.tray.bmc_scheme
    return RackWork(
        name=rack.name,
        feed=region.power.feeds[draw.feed].name,
        tray_kw=round(draw.draw.inrush_kw / len(rack.trays), 3),
        spares=sum(tray.role is Role.SPARE for tray in rack.trays),
        endpoints=tuple(
            EndpointWork(
                name=f"{rack.name}/{place}",
                place=place,
                kind=kind,
                serial=found.serial,
                address=f"{scheme}://{found.host}:{found.port}",
                macs=found.macs,
                bmc_mac=found.bmc_mac,
                username=found.username,
                turn=turn[kind],
            )
            for place, kind in places(profile, rack)
            for found in (delivered[place],)
        ),
    )


def _problems(
    region: Region, wanted: list[Rack], delivered: DeliveredRacks, named: Collection[str] | None
) -> Iterator[Problem]:
    for name in sorted(set(named or ()) - {rack.name for rack in wanted}):
        allowed = ", ".join(r.name for r in region.racks if _bring_up(region, r))
        yield _problem(name, "the region has no rack of this name that has a bring-up", None, allowed[:200] or None)
    if not wanted and not named:
        yield Problem(
            path=region.region,
            message="no rack of this region has a bring-up",
            allowed="a rack profile with `bring_up`",
            remedy="hands do it: describe the machines as received and go on with `region up`",
            rule="bring-up-none",
        )
    if len(profiles := sorted({rack.profile for rack in wanted})) > 1:
        yield _problem(
            region.region, "racks of several profiles cannot be brought up in one run", ", ".join(profiles), None
        )
    has_figures = {each.rack.name for each in rack_draws(region)}
    for rack in wanted:
        baseline = region.catalogue.baseline(_profile(region, rack).firmware or "")
        if baseline is None or not baseline.is_known:
            yield _problem(rack.name, "there is no firmware bundle to bring the rack to", None, None)
        if rack.name not in has_figures:
            yield _problem(rack.name, "nothing says where the rack stands and what it draws", None, None)
        yield from _rack_problems(rack, _profile(region, rack), delivered.get(rack.name, {}))
    yield from _twice(wanted, delivered)


def _rack_problems(rack: Rack, profile: RackProfile, delivered: Mapping[str, Delivered]) -> Iterator[Problem]:
    trays = {str(tray.slot): tray for tray in rack.trays}
    for place, kind in places(profile, rack):
        name, found = f"{rack.name}/{place}", delivered.get(place)
        if found is None:
            yield _problem(name, "the supplier's list has nothing at this place", None, f"a {kind}")
            continue
        if found.kind is not kind:
            yield _problem(name, "another kind of endpoint is listed here", found.kind, kind)
        tray = trays.get(place)
        if tray and tray.serial and tray.serial != found.serial:
            yield _problem(name, "the two lists name different serial numbers", found.serial, tray.serial)
        if tray and tray.macs and tuple(tray.macs) != found.macs:
            yield _problem(name, "the two lists name different MACs", ", ".join(found.macs), ", ".join(tray.macs))


def _twice(wanted: list[Rack], delivered: DeliveredRacks) -> Iterator[Problem]:
    """A serial, or an address, that two endpoints have would send one's password to the other."""
    every = [(f"{r.name}/{place}", d) for r in wanted for place, d in delivered.get(r.name, {}).items()]
    serials = Counter((d.kind, d.serial) for _, d in every)
    addresses = Counter((d.host, d.port) for _, d in every)
    for name, found in every:
        if serials[found.kind, found.serial] > 1:
            yield _problem(name, "another endpoint has the same serial number", found.serial, None)
        if addresses[found.host, found.port] > 1:
            yield _problem(name, "another endpoint has the same address", f"{found.host}:{found.port}", None)


def _problem(path: str, message: str, found: str | None, allowed: str | None) -> Problem:
    return Problem(path=path, message=message, found=found, allowed=allowed, remedy=REMEDY, rule="bring-up-list")


def _bring_up(region: Region, rack: Rack) -> BringUp | None:
    profile = region.profile(rack)
    return region.catalogue.bring_up(profile.bring_up) if profile and profile.bring_up else None


def _profile(region: Region, rack: Rack) -> RackProfile:
    profile = region.profile(rack)
    if profile is None:
        raise AssertionError("a region whose rules hold has the profiles of its racks")
    return profile
