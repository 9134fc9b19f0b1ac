"""Rules on what was said in public about a region: it agrees with the plan, and with physics."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.catalogue.rack import RackProfile
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.rules.text import mw


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A number of GPUs that was claimed, and what it means in racks."""

    key: str
    claimed: int
    """In the unit of `key`."""
    gpus: int
    profile: RackProfile
    """The region's kind of rack: the one with most GPUs in it."""

    @property
    def racks(self) -> int:
        return math.ceil(self.gpus / self.profile.gpus)

    @property
    def text(self) -> str:
        chips = f"{self.claimed:,} superchips x {self.gpus // self.claimed} = " if self.key == "superchips" else ""
        size = f"{self.profile.gpus} in a rack of {self.profile.profile}"
        return f"{chips}{self.gpus:,} GPUs, {size} = {self.racks:,} racks"


def _claims(region: Region) -> Iterator[_Claim]:
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    gpus: Counter[str] = Counter()
    for rack in region.racks:
        if profile := profiles.get(rack.profile):
            gpus[rack.profile] += len(rack.trays) * profile.tray.gpus
    if not gpus.total():
        return
    profile = profiles[gpus.most_common(1)[0][0]]
    claims = region.power.claims
    if claims.gpus is not None:
        yield _Claim(key="gpus", claimed=claims.gpus, gpus=claims.gpus, profile=profile)
    if claims.superchips is not None and profile.tray.superchips:
        each = profile.tray.gpus // profile.tray.superchips
        yield _Claim(key="superchips", claimed=claims.superchips, gpus=claims.superchips * each, profile=profile)


@rule("claim-count", "power", "racks", "catalogue")
def claims_are_planned(region: Region) -> Iterator[Fault]:
    """What is planned holds the claimed GPUs or superchips, and is no more than the racks that they fill.

    Example: a claim of 18,000 superchips where 250 racks hold 9,000.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    known = [(profiles[rack.profile].tray, len(rack.trays)) for rack in region.racks if rack.profile in profiles]
    planned = sum(tray.gpus * trays for tray, trays in known)
    for claim in _claims(region):
        if not claim.gpus <= planned < claim.gpus + claim.profile.gpus:
            yield Fault(
                at=("power", "claims", claim.key),
                message="the racks of the region hold another number of GPUs than was claimed",
                found=claim.text,
                allowed=f"the {planned:,} GPUs that are planned",
                remedy="correct the claim, or the racks; GPUs and superchips are easily taken for each other",
            )


@rule("claim-power", "power", "racks", "catalogue")
def claims_are_possible(region: Region) -> Iterator[Fault]:
    """What was claimed can be run with the power that was claimed beside it.

    Example: 18,000 superchips in 40 MW: 36,000 GPUs are 500 racks of 60 to 75 MW, without any cooling.
    """
    megawatts = region.power.claims.megawatts
    if megawatts is None:
        return
    for claim in _claims(region):
        power = claim.profile.power
        figures = [kw for kw in (power.typical_kw, power.planned_kw, power.nameplate_kw) if kw] if power else []
        if not figures or claim.racks * min(figures) <= megawatts * 1000:
            continue
        low, high = min(figures), max(figures)
        share = megawatts * 1000 / claim.gpus
        limit = claim.profile.tray.gpu_watts
        beside = (
            f", below the {limit / 1000:g} kW that one GPU may draw alone" if limit and share * 1000 < limit else ""
        )
        yield Fault(
            at=("power", "claims", claim.key),
            message=f"so many GPUs cannot run in {megawatts:g} MW",
            found=f"{claim.text} x {low:g}-{high:g} kW = {mw(claim.racks * low)} to {mw(claim.racks * high)} of IT"
            f" power before any cooling; {megawatts:g} MW leave {share:.2f} kW for each GPU{beside}",
            allowed=f"at most {math.floor(megawatts * 1000 / low):,} racks ="
            f" {math.floor(megawatts * 1000 / low) * claim.profile.gpus:,} GPUs at a PUE of 1",
            remedy="one of the two figures means something else: superchips are often said for GPUs",
        )


@rule("claim-megawatts", "power")
def claims_hold_the_site(region: Region) -> Iterator[Fault]:
    """The site takes no more than the megawatts that were claimed.

    Example: `site_kw: 45000` where 40 MW were announced.
    """
    power = region.power
    if power.claims.megawatts is not None and power.site_kw > power.claims.megawatts * 1000:
        yield Fault(
            at=("power", "site_kw"),
            message="the plan takes more power than was claimed for the region",
            found=mw(power.site_kw),
            allowed=f"at most {power.claims.megawatts:g} MW (power.claims.megawatts)",
            remedy="correct the site's connection, or the claim",
        )


RULES = (claims_are_planned, claims_are_possible, claims_hold_the_site)
