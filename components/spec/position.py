"""Where a key of the description was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from components.errors import Problem

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
    origins: Mapping[Location, tuple[Location, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Location of a list item -> where it was written, and its name if a series made it; only where a
    short form was expanded."""

    def of(self, location: Location) -> Position | None:
        """The place of this location, or of the nearest one above it that was written.

        A top-level key that is missing would stand beside the first one, `region`.
        """
        written, _, _ = self._written(location)
        for length in range(len(written), 0, -1):
            if place := self.places.get(written[:length]):
                return place
        return self.places.get(("region",))

    def text(self, location: Location) -> str:
        """The location as an operator finds it: `racks[0].trays[2].serial`, `racks[0] (ess-r017).trays[2].serial`."""
        written, name, rest = self._written(location)
        if not name:
            return text_of(written)
        inner = text_of(rest)
        return f"{text_of(written)} ({name}){'' if inner.startswith('[') or not inner else '.'}{inner}"

    def problem(
        self,
        at: Location,
        rule: str,
        message: str,
        *,
        found: str | None = None,
        allowed: str | None = None,
        remedy: str | None = None,
    ) -> Problem:
        """What is wrong at this location, with the file and line where it was written."""
        place = self.of(at)
        return Problem(
            path=self.text(at),
            message=message,
            found=found,
            allowed=allowed,
            remedy=remedy,
            file=place.file if place else None,
            line=place.line if place else None,
            rule=rule,
        )

    def is_generated(self, location: Location) -> bool:
        """Whether a series made what is here."""
        return bool(self._written(location)[1])

    def _written(self, location: Location) -> tuple[Location, str, Location]:
        """Location in the files, name of the generated member, and what is within the member."""
        if self.origins:
            for length in range(len(location), 0, -1):
                if found := self.origins.get(location[:length]):
                    origin, name = found
                    rest = location[length:]
                    return (origin, name, rest) if name else ((*origin, *rest), "", ())
        return location, "", ()


def text_of(location: Location) -> str:
    """`racks[0].trays[2].serial`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
