"""The power of a site: what there is at each level, and how it is planned."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.types import Name

Kilowatts = Annotated[float, Field(gt=0)]


class Planning(StrEnum):
    """Which figure of a rack is planned with."""

    NAMEPLATE = "nameplate"
    """The most that it can ever draw."""
    PLANNED = "planned"
    """What a rack draws at full load in service, or less where `caps` hold it there."""


class Feed(Model):
    """A supply that can fail by itself. Racks hang on the feeds by turns of their rows."""

    name: Name
    kw: Kilowatts
    """What it can carry."""


class Claims(Model):
    """What was said in public about the region; the plan is held against it."""

    gpus: Annotated[int, Field(ge=1)] | None = None
    superchips: Annotated[int, Field(ge=1)] | None = None
    """CPU with its GPUs; a GB200 superchip has two GPUs."""
    megawatts: Annotated[float, Field(gt=0)] | None = None


Caps = Annotated[Mapping[Name, Kilowatts], AfterValidator(MappingProxyType), PlainSerializer(dict)]


def _no_caps() -> Mapping[str, float]:
    return MappingProxyType({})


class Power(Model):
    """Budgets from the grid down to the rack; every level must hold what hangs below it."""

    site_kw: Kilowatts
    """Facility power: IT times PUE may not exceed it."""
    pue: Annotated[float, Field(ge=1.0, le=3.0)]
    """Power usage effectiveness that the cooling is designed for."""
    price_eur_mwh: Annotated[float, Field(ge=0)]
    """Energy, with grid fees, without VAT."""
    planning: Planning
    caps: Caps = Field(default_factory=_no_caps)
    """Rack profile -> the most that a rack of it may draw in service: power limits of its GPUs hold it there. Site
    and feeds count it. Rows and tap-offs do not: a breaker knows nothing of limits that software sets."""
    feeds: Annotated[tuple[Feed, ...], Field(min_length=1)]
    spare_feeds: Annotated[int, Field(ge=0)] = 0
    """Feeds that may be lost without loss of load: with 1, the others must carry everything (N+1)."""
    row_kw: Kilowatts
    """Busway of one row; the network room of a hall has one too."""
    pdu_kw: Kilowatts
    """Tap-off of one rack of machines."""
    switch_rack_kw: Kilowatts = 22.0
    """Tap-off of one rack of switches: 32 A of three phases at 400 V. So many stand in it as this carries at most."""
    step_kw: Kilowatts
    """Most that is switched on in one step, inrush counted, so that generators and cooling can follow."""
    step_s: Annotated[int, Field(ge=0)] = 60
    """Rest between two steps."""
    claims: Claims = Claims()
