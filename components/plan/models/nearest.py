"""Why no pool holds a model, how many hosts would, and what one host holds instead.

Owns the words of a refusal and the arithmetic behind them. A replica over several hosts is not started: why, and what
that takes, stands in docs/adr/0024-span-hosts-by-leader-and-workers.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil, inf

from components.plan.fleet.need import fits
from components.plan.fleet.pool import Fleet, Pool
from components.plan.models.fit import Shape, context_limit, precisions, shape
from components.spec.catalogue.model import ModelProfile, Precision
from components.words import count

CONTEXT, REQUESTS = "context_tokens", "scaling.concurrency"
"""Keys of a service that say how much its model keeps."""


@dataclass(frozen=True, kw_only=True)
class Wider:
    """A replica of more GPUs than NVLink joins on one host of a pool."""

    shape: Shape
    pool: Pool

    @property
    def hosts_per_replica(self) -> int:
        """Hosts whose GPUs it would take, all of them."""
        return ceil(self.shape.gpus / self.pool.gpus_per_host)

    @property
    def why_not(self) -> str:
        """What it needs, and why that is not to be had."""
        pool, hosts, price = self.pool, self.hosts_per_replica, ""
        if pool.eur_hour is not None:
            price = f", €{pool.eur_hour * self.shape.gpus:,.2f} an hour"
        needs = (
            f"it needs {self.shape.gpus} GPUs ({self.shape.precision}, {self.shape.sum_gib:.1f} GiB a GPU{price}):"
            f" {count(hosts, 'host')}"
        )
        if hosts == 1 or pool.domain <= pool.gpus_per_host:
            return f"{needs}, whose GPUs no NVLink joins"
        if pool.domain < self.shape.gpus:
            return f"{needs} of one NVLink domain, and the largest here has {pool.domain // pool.gpus_per_host}"
        return f"{needs} of one NVLink domain, and a replica runs on one host"


@dataclass(frozen=True, kw_only=True)
class Instead:
    """One figure of a service that, changed alone, lets its model fit."""

    key: str
    """In the description of the service."""
    most: int
    """The largest value of it that fits."""
    shape: Shape
    pool: Pool

    def __str__(self) -> str:
        """As it is written into the description, and where it lands."""
        gpus = count(self.shape.gpus, "GPU")
        return f"`{self.key}: {self.most}` ({self.shape.precision} on {gpus} of {self.pool.name})"


@dataclass(frozen=True, kw_only=True)
class NoFit:
    """No pool holds the model."""

    model: str
    reasons: tuple[str, ...]
    """One for each pool, with the arithmetic that comes nearest."""
    instead: tuple[Instead, ...] = ()
    """Changes of which each is enough; none where no such change is."""


def no_fit(model: ModelProfile, fleet: Fleet, context_tokens: int, concurrency: int) -> NoFit:
    """Of a model that `best` found no pool for."""
    return NoFit(
        model=model.model,
        reasons=tuple(_reasons(model, fleet, context_tokens, concurrency)),
        instead=tuple(_instead(model, fleet, context_tokens, concurrency)),
    )


def wider(model: ModelProfile, pool: Pool, context_tokens: int, concurrency: int) -> Wider | None:
    """The fewest GPUs beyond one host's NVLink that hold it, whole hosts where they are several; in the best precision."""
    for gpus in sorted(model.gpu_counts):
        if gpus <= _reach(pool) or (gpus > pool.gpus_per_host and gpus % pool.gpus_per_host):
            continue
        for precision in _built(model, pool, context_tokens):
            found = shape(model, precision, gpus, context_tokens, concurrency)
            if found.memory_gib <= pool.memory_gib:
                return Wider(shape=found, pool=pool)
    return None


def _reach(pool: Pool) -> int:
    """GPUs that NVLink joins on one host."""
    return min(pool.gpus_per_host, pool.domain, pool.gpus)


def _built(model: ModelProfile, pool: Pool, context_tokens: int) -> list[Precision]:
    return [each for each in precisions(model, context_tokens) if pool.architecture in each.architectures]


def _reasons(model: ModelProfile, fleet: Fleet, context_tokens: int, concurrency: int) -> Iterator[str]:
    if not any(precisions(model, context_tokens)):
        longest = max(context_limit(model, precision) for precision in model.precisions)
        yield f"{context_tokens:,} tokens of context, the model has {longest:,}"
        return
    for pool in fleet.pools:
        yield f"{pool.name}: {_reason(model, pool, context_tokens, concurrency)}"


def _reason(model: ModelProfile, pool: Pool, context_tokens: int, concurrency: int) -> str:
    built = _built(model, pool, context_tokens)
    if not built:
        offered = sorted({each for usable in precisions(model, context_tokens) for each in usable.architectures})
        return f"{pool.architecture}, and the model is offered for {', '.join(offered) or 'no GPU'}"
    reach, more = _reach(pool), ""
    if beyond := wider(model, pool, context_tokens, concurrency):
        more = f"; {beyond.why_not}"
    elif (widest := max(model.gpu_counts)) > reach:
        more = f"; {widest} GPUs do not hold it either"
    counts = [gpus for gpus in model.gpu_counts if gpus <= reach]
    if not counts:
        divided = ", ".join(map(str, model.gpu_counts))
        return f"{reach} GPUs of a host joined by NVLink, and it is divided over {divided}{more}"
    shapes = [shape(model, precision, max(counts), context_tokens, concurrency) for precision in built]
    nearest = min(shapes, key=lambda each: each.memory_gib)
    return f"{nearest.arithmetic}, has {pool.memory_gib} GiB{more}"


def _instead(model: ModelProfile, fleet: Fleet, context_tokens: int, concurrency: int) -> Iterator[Instead]:
    """The longest context for as many requests, and the most requests of that context; of equal ones the cheapest."""
    offers = [
        offer
        for pool in fleet.pools
        for precision in model.precisions
        for gpus in sorted(model.gpu_counts)
        for offer in _offers(model, pool, precision, gpus, context_tokens, concurrency)
    ]
    for key in (CONTEXT, REQUESTS):
        yield from sorted((offer for offer in offers if offer.key == key), key=_worth)[:1]


def _offers(
    model: ModelProfile, pool: Pool, precision: Precision, gpus: int, context_tokens: int, concurrency: int
) -> Iterator[Instead]:
    of = partial(shape, model, precision, gpus)
    longest = min(context_limit(model, precision), context_tokens)
    if most := _most(pool, longest, lambda context: of(context, concurrency)):
        yield Instead(key=CONTEXT, most=most, shape=of(most, concurrency), pool=pool)
    if longest == context_tokens and (most := _most(pool, concurrency, lambda requests: of(context_tokens, requests))):
        yield Instead(key=REQUESTS, most=most, shape=of(context_tokens, most), pool=pool)


def _most(pool: Pool, limit: int, of: Callable[[int], Shape]) -> int:
    """The largest figure up to a limit whose shape fits; 0 where none does. A larger one never needs less."""
    return bisect_right(range(1, limit + 1), False, key=lambda figure: not fits(pool, of(figure).need))


def _worth(offer: Instead) -> tuple[int, float, int]:
    eur = inf if offer.pool.eur_hour is None else offer.pool.eur_hour * offer.shape.gpus
    return -offer.most, eur, offer.shape.gpus
