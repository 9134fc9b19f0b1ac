"""Round-trip times between sites, to plan with until they are measured."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from components.spec.catalogue.evidence import CatalogueItem
from components.spec.types import Name

Milliseconds = Annotated[float, Field(gt=0, le=1000)]


class Latency(CatalogueItem):
    """Between two sites, the same in both directions."""

    name_key: ClassVar[str] = "between"

    between: Annotated[tuple[Name, Name], Field(min_length=2, max_length=2)]
    """The sites, named as their regions."""
    distance_km: Annotated[float, Field(gt=0)] | None = None
    """Along the great circle."""
    floor_ms: Milliseconds | None = None
    """What light in a straight fibre takes, there and back: nothing is faster."""
    planning_ms: Milliseconds
    """Round trip that rules count with."""

    @property
    def name(self) -> str:
        """Both sites."""
        return "-".join(self.between)
