"""What can be kept of a description that does not validate, so that the rules still see the rest.

A fault in one tray must not hide a fault in another. A key that nothing has is left out alone; the items
of lists that pydantic rejected otherwise are left out, sections that cannot be mended so are absent.
Indices are translated back, so that a problem names the place in the file.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from components.spec.position import Location
from components.spec.problems import errors_of, meant_key
from components.spec.region import Received, Region


@dataclass(frozen=True)
class Draft:
    """A region that may lack sections."""

    region: Region
    whole: frozenset[str]
    """Top-level keys that validated, but for keys that nothing has."""
    pruned: frozenset[str] = frozenset()
    """Top-level keys from which items were left out."""
    kept: dict[Location, tuple[int, ...]] = field(default_factory=dict[Location, tuple[int, ...]])
    """Original location of a pruned list -> original indices of the items that were kept."""

    def without(self, incomplete: Set[str]) -> Draft:
        """The same, knowing that something was left out of these sections before."""
        return dataclasses.replace(self, whole=self.whole - incomplete, pruned=self.pruned | (self.whole & incomplete))

    def original(self, location: Location) -> Location:
        """The location in the files of a location in `region`."""
        result: Location = ()
        for step in location:
            indices = self.kept.get(result)
            result = (*result, indices[step] if indices and isinstance(step, int) else step)
        return result


def salvage(data: dict[str, Any], error: ValidationError, delivered: Received | None = None) -> Draft:
    """The largest valid part of the data."""
    faults: dict[str, list[Location]] = {}
    meant: set[str | None] = set()
    strays: dict[str, set[Location]] = {}
    for item in errors_of(error):
        location = tuple(item["loc"])
        if item["type"] == "extra_forbidden" and not _is_misspelt(data, location):
            strays.setdefault(str(location[0]), set()).add(location[1:])
        else:
            faults.setdefault(str(location[0]), []).append(location[1:])
            meant.add(meant_key(Region, location) if len(location) == 1 else None)
    sections: dict[str, Any] = {}
    pruned: set[str] = set()
    kept: dict[Location, tuple[int, ...]] = {}
    for name, info in Region.model_fields.items():
        if name not in data:
            continue
        value = _without_keys(data[name], strays.get(name, set()))
        if name in faults:
            doomed = [_item_above(location) for location in faults[name]]
            if not all(doomed):
                continue
            value = _without(value, {d for d in doomed if d}, (name,), kept)
            pruned.add(name)
        adapter: TypeAdapter[Any] = TypeAdapter(info.rebuild_annotation())
        try:
            sections[name] = adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError:
            pruned.discard(name)
    absent = {
        name
        for name, info in Region.model_fields.items()
        if name not in data and not info.is_required() and name not in meant
    }
    whole = frozenset(sections) - pruned | absent
    region = Region.model_construct(**sections)
    return Draft(region.at(region.positions, delivered), whole, frozenset(pruned), kept)


def _is_misspelt(data: Mapping[str, Any], location: Location) -> bool:
    """Whether a known key is missing beside an unknown one that is like it: its value is then not known, and
    a rule that took the default would accuse what is right."""
    meant = meant_key(Region, location)
    beside: Any = data
    for step in location[:-1]:
        beside = beside[step]
    return meant is not None and meant not in beside


def _without_keys(value: Any, strays: set[Location], here: Location = ()) -> Any:
    if not strays:
        return value
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        left = {key: item for key, item in entries.items() if (*here, key) not in strays}
        return {key: _without_keys(item, strays, (*here, key)) for key, item in left.items()}
    if isinstance(value, list):
        return [_without_keys(item, strays, (*here, n)) for n, item in enumerate(cast("list[Any]", value))]
    return value


def _item_above(location: Location) -> Location | None:
    """The innermost list item that holds this location."""
    for length in range(len(location), 0, -1):
        if isinstance(location[length - 1], int):
            return location[:length]
    return None


def _without(
    value: Any, doomed: set[Location], at: Location, kept: dict[Location, tuple[int, ...]], here: Location = ()
) -> Any:
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {key: _without(item, doomed, (*at, key), kept, (*here, key)) for key, item in entries.items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        left = tuple(index for index in range(len(items)) if (*here, index) not in doomed)
        if len(left) < len(items):
            kept[at] = left
        return [_without(items[index], doomed, (*at, index), kept, (*here, index)) for index in left]
    return value
