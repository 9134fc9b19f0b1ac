"""Where a region is, and what its kinds of racks look like: what pictures and overviews need of a site.

Copies facts of the description and the catalogue into the plan, so that who shows a plan reads nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.catalogue.derive import elevation, planned_kw
from components.spec.catalogue.rack import Occupant, RackProfile
from components.spec.region import Region


@dataclass(frozen=True, kw_only=True)
class HallPlan:
    """A room with rows of racks."""

    name: str
    rows: int
    racks_per_row: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One thing in a rack, as it is drawn."""

    unit: int
    """Lowest rack unit, from 1 at the floor."""
    height_u: int
    what: Occupant
    number: int
    """A tray's slot; a shelf's or a switch's number."""


@dataclass(frozen=True, kw_only=True)
class ProfilePlan:
    """A kind of rack that stands in the region."""

    name: str
    gpu_model: str
    gpus_per_tray: int
    slots: int
    units_u: int
    """Height; of the highest thing where the catalogue does not know the frame."""
    standing: tuple[Standing, ...]
    """From the floor up."""
    is_drawn: bool
    """Whether the catalogue says what stands where; otherwise only the trays stand here, in their order."""
    nvlink_trays: int
    power_shelves: int
    oob_switches: int
    pdus: int
    nameplate_kw: float | None
    planned_kw: float | None
    """Of a full rack; None where the catalogue does not know."""
    cooling: str | None
    simulated: bool
    provisional: bool


@dataclass(frozen=True, kw_only=True)
class SitePlan:
    """The site and the hardware that stands there."""

    name: str
    country: str
    """ISO 3166-1 code."""
    latitude: float
    longitude: float
    halls: tuple[HallPlan, ...]
    profiles: tuple[ProfilePlan, ...]
    """Those in use, by name."""
    provisional: bool
    """Whether the region stands on figures that are not settled."""

    def profile(self, name: str) -> ProfilePlan:
        """The profile of this name; every rack's is there."""
        return next(profile for profile in self.profiles if profile.name == name)


def compile_site(region: Region) -> SitePlan:
    """The site of a region whose rules hold."""
    site = region.site
    used = {rack.profile for rack in region.racks}
    return SitePlan(
        name=site.name,
        country=site.country,
        latitude=site.position.latitude,
        longitude=site.position.longitude,
        halls=tuple(HallPlan(name=h.name, rows=h.rows, racks_per_row=h.racks_per_row) for h in site.halls),
        profiles=tuple(_profile(p) for p in region.catalogue.racks if p.profile in used),
        provisional=region.provisional,
    )


def _profile(profile: RackProfile) -> ProfilePlan:
    standing = tuple(_standing(profile))
    return ProfilePlan(
        name=profile.profile,
        gpu_model=profile.tray.gpu_model,
        gpus_per_tray=profile.tray.gpus,
        slots=profile.slots,
        units_u=profile.units_u or max(s.unit + s.height_u - 1 for s in standing),
        standing=standing,
        is_drawn=bool(profile.elevation),
        nvlink_trays=profile.nvlink.switch_trays if profile.nvlink else 0,
        power_shelves=profile.power_shelves.count if profile.power_shelves else 0,
        oob_switches=profile.oob_switches.count if profile.oob_switches else 0,
        pdus=profile.pdus.count if profile.pdus else 0,
        nameplate_kw=profile.power.nameplate_kw if profile.power else None,
        planned_kw=planned_kw(profile, profile.slots),
        cooling=profile.cooling,
        simulated=profile.simulated,
        provisional=profile.provisional,
    )


def _standing(profile: RackProfile) -> Iterator[Standing]:
    """As the catalogue draws it; where it draws nothing, the trays one above the other."""
    drawn = elevation(profile)
    for place in drawn:
        yield Standing(unit=place.unit, height_u=place.height_u, what=place.what, number=place.number)
    if not drawn:
        for slot in range(1, profile.slots + 1):
            yield Standing(unit=slot, height_u=1, what="compute", number=slot)
