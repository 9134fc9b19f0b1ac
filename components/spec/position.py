"""Where a key of the description was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Location = tuple[str | int, ...]
"""Keys and indices from the top of the description."""


@dataclass(frozen=True)
class Position:
    """A place in a file."""

    file: str
    """As an operator would name it, relative to the project."""
    line: int
    """From 1."""


@dataclass(frozen=True)
class Positions:
    """Location -> place, for all keys and list items of a description."""

    places: Mapping[Location, Position] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, location: Location) -> Position | None:
        """The place of this location, or of the nearest one above it that was written.

        A top-level key that is missing would stand beside the first one, `region`.
        """
        for length in range(len(location), 0, -1):
            if place := self.places.get(location[:length]):
                return place
        return self.places.get(("region",))


def text_of(location: Location) -> str:
    """`racks[0].trays[2].serial`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
