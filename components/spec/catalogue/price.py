"""Prices that forecasts and bills count with."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components.spec.catalogue.evidence import CatalogueItem
from components.spec.types import Name

PriceUnit = Literal["gpu-hour", "core-hour", "gb-month", "gb"]


class Price(CatalogueItem):
    """What tenants pay for one unit of one thing, without tax. Energy is not here: its price is the region's."""

    name_key: ClassVar[str] = "price"

    price: Name
    """Equal to the file's name."""
    unit: PriceUnit
    """An hour of one GPU or core, a month of one GB stored, one GB sent out."""
    gpu_model: Annotated[str, Field(min_length=1)] | None = None
    """Of a GPU-hour: `gpu_model` of the rack profiles that it is for."""
    eur: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    """Euros for one unit; without one, forecasts say that the price is missing and never take another."""
    operator_sets: bool = True
    """Whether this is a placeholder of this project: the operator sets it before anybody is billed."""
