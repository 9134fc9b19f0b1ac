"""Where a need lands: the pools that have it, in order of price, or why none has it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from components.plan.fleet.need import Lack, Need, fits, lacks
from components.plan.fleet.pool import Fleet, Pool
from components.words import count


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The first pool is where replicas land; the others take what spills over when it is full."""

    need: Need
    pools: tuple[Pool, ...]
    """In order of price; never empty."""
    others: tuple[Pool, ...] = ()
    """That do not have what is needed."""

    @property
    def first(self) -> Pool:
        """Where replicas land while there is room."""
        return self.pools[0]

    @property
    def eur_hour(self) -> float | None:
        """Of one replica in the first pool, without energy."""
        return None if self.first.eur_hour is None else self.first.eur_hour * self.need.count

    @property
    def why(self) -> str:
        """Where it lands and why, in a sentence or three."""
        first, gpus = self.first, count(self.need.count, "GPU")
        price = "no price is set" if self.eur_hour is None else f"€{self.eur_hour:,.2f} an hour without energy"
        reason = (
            f"the cheapest of {len(self.pools)} pools that fit" if len(self.pools) > 1 else "the only pool that fits"
        )
        lines = [f"lands on {first.name}: {gpus} {first.gpu_model} a replica, {price}, {reason}"]
        if len(self.pools) > 1:
            lines.append(f"when it is full: {', '.join(map(_priced, self.pools[1:]))}")
        if self.others:
            lines.append(f"not: {', '.join(f'{pool.name} ({_first(lacks(pool, self.need))})' for pool in self.others)}")
        return "; ".join(lines)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """No pool has what is needed."""

    need: Need
    nearest: Pool | None
    """That lacks least; None in a region without GPUs."""
    lacks: tuple[Lack, ...] = ()
    """Of the nearest."""

    @property
    def why(self) -> str:
        """What the nearest pool lacks."""
        if self.nearest is None:
            return "the region has no GPUs that work for tenants"
        missing = "; ".join(f"{lack.what}: asked {lack.asked}, has {lack.has}" for lack in self.lacks)
        return f"nearest is {self.nearest.name} ({self.nearest.gpu_model}): {missing}"

    @property
    def remedy(self) -> str:
        """What to ask for instead, to get the nearest."""
        if self.nearest is None:
            return "place it in a region that has GPUs"
        return f"ask for {', '.join(f'{lack.what} {lack.has}' for lack in self.lacks)}, or place it in another region"


def resolve(fleet: Fleet, need: Need) -> Placement | Refusal:
    """The pools that have what is needed, cheapest first; or the one that is nearest to it."""
    inside = tuple(pool for pool in fleet.pools if fits(pool, need))
    if inside:
        others = tuple(pool for pool in fleet.pools if pool not in inside) if len(inside) < len(fleet.pools) else ()
        return Placement(need=need, pools=inside, others=others)
    near = min(((lacks(pool, need), pool) for pool in fleet.pools), key=_distance, default=None)
    return Refusal(need=need, nearest=None) if near is None else Refusal(need=need, nearest=near[1], lacks=near[0])


def _distance(found: tuple[tuple[Lack, ...], Pool]) -> tuple[int, float, str]:
    missing, pool = found
    return len(missing), -prod(lack.ratio for lack in missing), pool.name


def _priced(pool: Pool) -> str:
    return pool.name if pool.eur_hour is None else f"{pool.name} (€{pool.eur_hour:,.2f} a GPU-hour)"


def _first(missing: tuple[Lack, ...]) -> str:
    lack = missing[0]
    return f"{lack.what} {lack.has}, not {lack.asked}"
