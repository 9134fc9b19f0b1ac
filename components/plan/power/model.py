"""The plan of power: what hangs on what, what it draws, in which order it is switched on, what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.draw import Draw
from components.spec.power import Planning


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
class SwitchRackPower:
    """One rack of switches."""

    rack: str
    unit: int | None
    """Scalable unit that it serves; None in a network room."""
    switches: tuple[tuple[str, int], ...]
    """Kind, and how many of it."""
    units_u: int
    """Height of its switches together."""
    draw: Draw
    typical_kw: float
    """In service."""
    tap_kw: float


@dataclass(frozen=True, kw_only=True)
class RowPower:
    """What hangs on one busway."""

    hall: str
    row: int
    """In the hall; 0 for its network room."""
    draw: Draw
    budget_kw: float
    """Held against the draw without caps: a breaker knows nothing of them."""
    racks: tuple[RackPower, ...]
    switch_racks: tuple[SwitchRackPower, ...]

    @property
    def name(self) -> str:
        """`a-1`; `a-network` for the network room of hall a."""
        return f"{self.hall}-{self.row or 'network'}"


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
    """`control plane and network rooms`, or the scalable unit."""
    racks: tuple[str, ...]
    """Of machines and of switches."""
    inrush_kw: float
    """Peak that the step adds; at most `power.step_kw`."""
    running_kw: float
    """What all may draw once this step is on, within the caps."""
    start_s: int
    """After the first step."""
    duration_s: int


@dataclass(frozen=True, kw_only=True)
class CapPlan:
    """What racks of one kind are held to in service, and how."""

    profile: str
    racks: int
    planned_kw: float
    """Of a full rack, without the cap."""
    cap_kw: float
    gpus: int
    """Of a full rack."""
    gpu_watts: int
    """Power limit of a GPU as it is delivered."""
    gpu_limit_watts: int
    """Power limit that holds the cap when every GPU draws all it may."""


@dataclass(frozen=True, kw_only=True)
class PowerPlan:
    """The power of a region, from the grid down to the rack."""

    site_kw: float
    """What the grid gives."""
    planning: Planning
    """Which figure budgets count."""
    pue: float
    caps: tuple[CapPlan, ...]
    draw: Draw
    """Of racks and switches."""
    it_kw: float
    """By the way of planning, within the caps."""
    switches_kw: float
    """The switches' part of it, at their most."""
    switches_typical_kw: float
    """What they draw in service."""
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
    """What draws power too and is no part of a description."""

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
