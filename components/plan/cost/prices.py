"""The prices of a region, from the catalogue and from its own price of energy."""

from __future__ import annotations

from dataclasses import dataclass

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.price import PriceUnit
from components.spec.region import Region


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """What is counted beside the hours of GPUs, whose price stands with their pool. EUR, without tax."""

    core_hour: float | None = None
    gb_month: float | None = None
    egress_gb: float | None = None
    kwh: float = 0.0
    """Of energy at the rack: the grid's price with the cooling and losses of the hall."""
    to_set: tuple[str, ...] = ()
    """Prices that are placeholders of the catalogue: the operator sets them before anybody is billed."""


def prices_of(region: Region) -> PriceList:
    """Of one region."""
    catalogue = region.catalogue
    return PriceList(
        core_hour=_price(catalogue, "core-hour"),
        gb_month=_price(catalogue, "gb-month"),
        egress_gb=_price(catalogue, "gb"),
        kwh=region.power.price_eur_mwh / 1000 * region.power.pue,
        to_set=tuple(p.price for p in catalogue.prices if p.operator_sets and not p.simulated),
    )


def _price(catalogue: Catalogue, unit: PriceUnit) -> float | None:
    return next((price.eur for price in catalogue.prices if price.unit == unit), None)
