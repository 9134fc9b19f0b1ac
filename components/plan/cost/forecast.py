"""What a month costs each service and tenant: floor, expected and ceiling. Pure arithmetic on a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from components.plan.cost.prices import PriceList
from components.plan.cost.use import MONTH_HOURS, ReplicaHours, replica_hours
from components.plan.fleet.pool import GIB_IN_GB, Fleet, Pool
from components.plan.tenants import ServicePlan

BUCKET = "(bucket)"
"""Stands for the tenant's bucket among its services; no service has such a name."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """EUR of a month, each rounded to cents, so that what is shown adds up."""

    gpu: float = 0.0
    energy: float = 0.0
    cpu: float = 0.0
    storage: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return round(self.gpu + self.energy + self.cpu + self.storage, 2)


@dataclass(frozen=True, kw_only=True)
class Month:
    """A sum at least, as expected, and at most."""

    floor: float = 0.0
    expected: float = 0.0
    ceiling: float = 0.0

    def __add__(self, other: Month) -> Month:
        return Month(
            floor=round(self.floor + other.floor, 2),
            expected=round(self.expected + other.expected, 2),
            ceiling=round(self.ceiling + other.ceiling, 2),
        )

    def __sub__(self, other: Month) -> Month:
        return self + Month(floor=-other.floor, expected=-other.expected, ceiling=-other.ceiling)

    @property
    def is_zero(self) -> bool:
        """Whether nothing is paid, or nothing changes."""
        return not (self.floor or self.expected or self.ceiling)


@dataclass(frozen=True, kw_only=True)
class ServiceCost:
    """One service."""

    tenant: str
    service: str
    """Its name, or `BUCKET`: what the tenant's bucket holds."""
    pool: str
    """Where its replicas land while there is room; empty without GPUs."""
    hours: ReplicaHours
    floor: Parts
    expected: Parts
    ceiling: Parts
    """At the dearest pool that it may spill over to."""
    missing: tuple[str, ...] = ()
    """Prices that nobody set: what they are for is not in the sums."""

    @property
    def month(self) -> Month:
        """The three sums."""
        return Month(floor=self.floor.total, expected=self.expected.total, ceiling=self.ceiling.total)


@dataclass(frozen=True, kw_only=True)
class TenantCost:
    """All services of a tenant."""

    tenant: str
    month: Month
    budget_eur: float | None = None
    at_limit: str = ""
    """What the tenant chose for the time when the budget is used up: `warn` or `hold`."""
    is_bucket_unknown: bool = False
    """Whether services use its bucket and nobody says how much it holds: that is not in the sums."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A region's month. Traffic out of the region is metered and not forecast: nobody declares it."""

    services: tuple[ServiceCost, ...]
    tenants: tuple[TenantCost, ...]
    prices: PriceList

    @property
    def month(self) -> Month:
        """All tenants together."""
        return sum((each.month for each in self.tenants), Month())


def service_cost(service: ServicePlan, fleet: Fleet, prices: PriceList, duty: float | None = None) -> ServiceCost:
    """Of one service, by the pools that it lands on."""
    hours, pools = replica_hours(service, duty), _pools(service, fleet)
    cheapest, dearest = _rates(pools)
    stored = round(sum(volume.size_gib for volume in service.volumes) * GIB_IN_GB * (prices.gb_month or 0), 2)

    def parts(replicas: float, gpu_rate: float, kw: float) -> Parts:
        return Parts(
            gpu=round(replicas * service.gpus * gpu_rate, 2),
            energy=round(replicas * service.gpus * kw * prices.kwh, 2),
            cpu=round(replicas * service.cpu * (prices.core_hour or 0), 2),
            storage=stored,
        )

    return ServiceCost(
        tenant=service.tenant,
        service=service.name,
        pool=pools[0].name if pools else "",
        hours=hours,
        floor=parts(hours.floor, *cheapest),
        expected=parts(hours.expected, *cheapest),
        ceiling=parts(hours.ceiling, *dearest),
        missing=tuple(_missing(service, pools, prices)),
    )


def bucket_cost(tenant: str, size_gb: float, prices: PriceList) -> ServiceCost:
    """Of a tenant's bucket, which holds as much whether anybody calls or not."""
    parts = Parts(storage=round(size_gb * (prices.gb_month or 0), 2))
    hours = ReplicaHours(floor=0, expected=0, ceiling=0, assumption="what buckets hold, as declared (expected_gb)")
    missing = ("GB-month",) if size_gb and prices.gb_month is None else ()
    return ServiceCost(
        tenant=tenant, service=BUCKET, pool="", hours=hours, floor=parts, expected=parts, ceiling=parts, missing=missing
    )


def forecast(
    services: Iterable[ServicePlan],
    budgets: Mapping[str, tuple[float | None, str]],
    fleet: Fleet,
    prices: PriceList,
    duties: Mapping[str, float] | None = None,
    buckets_gb: Mapping[str, float] | None = None,
) -> Forecast:
    """Of a region: `budgets` has every tenant with its budget, `duties` what a history shows by `tenant/service`,
    `buckets_gb` what is declared of the buckets of tenants."""
    history, sizes, services = duties or {}, buckets_gb or {}, tuple(services)
    lines = tuple(service_cost(each, fleet, prices, history.get(each.key)) for each in services)
    lines += tuple(bucket_cost(tenant, size, prices) for tenant, size in sizes.items())
    unknown = {each.tenant for each in services if each.bucket_key} - sizes.keys()
    sums: dict[str, Month] = {tenant: Month() for tenant in budgets}
    for line in lines:
        sums[line.tenant] = sums.get(line.tenant, Month()) + line.month
    tenants = (
        TenantCost(tenant=name, month=month, budget_eur=budget, at_limit=action, is_bucket_unknown=name in unknown)
        for name, month in sums.items()
        for budget, action in (budgets.get(name, (None, "")),)
    )
    return Forecast(services=lines, tenants=tuple(tenants), prices=prices)


def _pools(service: ServicePlan, fleet: Fleet) -> tuple[Pool, ...]:
    names = service.gpu.pools if service.gpu else ()
    return tuple(pool for name in names if (pool := fleet.pool(name)))


def _rates(pools: tuple[Pool, ...]) -> tuple[tuple[float, float], tuple[float, float]]:
    """EUR and kW of a GPU-hour: where it lands, and the most of all pools that it may spill over to."""
    rates = [(pool.eur_hour or 0.0, pool.kw_per_gpu or 0.0) for pool in pools] or [(0.0, 0.0)]
    return rates[0], (max(eur for eur, _ in rates), max(kw for _, kw in rates))


def _missing(service: ServicePlan, pools: tuple[Pool, ...], prices: PriceList) -> Iterator[str]:
    for pool in pools:
        if pool.eur_hour is None:
            yield f"GPU-hour of {pool.gpu_model}"
        if pool.kw_per_gpu is None:
            yield f"power of {pool.gpu_model}"
    if service.cpu and prices.core_hour is None:
        yield "core-hour"
    if service.volumes and prices.gb_month is None:
        yield "GB-month"


__all__ = ["MONTH_HOURS", "Forecast", "Month", "Parts", "ServiceCost", "TenantCost", "forecast", "service_cost"]
