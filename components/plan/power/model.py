"""The plan of power: what hangs on what, what it draws, in which order it is switched on, what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.draw import Draw


@dataclass(frozen=True, kw_only=True)
class SupplyPlan:
    """The shelves or strips that feed one rack from inside."""

    kind: str
    """`shelf` or `pdu`."""
    model: str
    count: int
    kw: float
    """What each can give."""
    left_kw: float
    """What is left when one of them fails."""


@dataclass(frozen=True, kw_only=True)
class RackPower:
    """One rack."""

    rack: str
    position: int
    """Place in its row."""
    trays: int
    gpus: int
    draw: Draw
    tap_kw: float
    """What its tap-off carries."""
    supply: SupplyPlan | None
    """None where the profile does not say, or where programs play the rack."""


@dataclass(frozen=True, kw_only=True)
class RowPower:
    """The racks on one busway."""

    hall: str
    row: int
    draw: Draw
    budget_kw: float
    racks: tuple[RackPower, ...]


@dataclass(frozen=True, kw_only=True)
class FeedPower:
    """The rows on one feed while all feeds work."""

    feed: str
    draw: Draw
    facility_kw: float
    """By the region's way of planning, with its share of cooling and losses."""
    budget_kw: float
    rows: tuple[RowPower, ...]


@dataclass(frozen=True, kw_only=True)
class EnergiseStep:
    """Racks that are switched on together."""

    number: int
    """From 1."""
    what: str
    """`control plane`, or the scalable unit."""
    racks: tuple[str, ...]
    inrush_kw: float
    """Peak that the step adds; at most `power.step_kw`."""
    running_kw: float
    """What all racks may draw once this step is on."""
    start_s: int
    """After the first step."""
    duration_s: int


@dataclass(frozen=True, kw_only=True)
class PowerPlan:
    """The power of a region, from the grid down to the rack."""

    site_kw: float
    """What the grid gives."""
    planning: str
    """Which figure budgets count: `nameplate` or `planned`."""
    pue: float
    draw: Draw
    it_kw: float
    """By the way of planning."""
    facility_kw: float
    """it_kw * pue: what the grid must give."""
    spare_feeds: int
    surviving_kw: float
    """What the feeds carry with that many of the largest lost: at least `facility_kw`."""
    feeds: tuple[FeedPower, ...]
    steps: tuple[EnergiseStep, ...]
    eur_per_hour: float
    """At full load."""
    eur_per_year: float
    """At full load for 8,760 hours."""
    gpus: int
    """Of all trays, spares too."""
    kw_per_gpu: float | None
    """Facility power; None without GPUs."""
    not_counted: tuple[str, ...]
    """What draws power too and has no figure in the catalogue."""

    @property
    def rows(self) -> Iterator[RowPower]:
        """Of all feeds."""
        for feed in self.feeds:
            yield from feed.rows

    @property
    def headroom_kw(self) -> float:
        """What the site could still take."""
        return round(self.site_kw - self.facility_kw, 3)

    @property
    def energise_s(self) -> int:
        """From the first step until the last one is over."""
        return self.steps[-1].start_s + self.steps[-1].duration_s if self.steps else 0
