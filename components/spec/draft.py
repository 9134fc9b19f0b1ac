"""What can be kept of a description that does not validate, so that the rules still see the rest.

A fault in one tray must not hide a fault in another. The items of lists that pydantic rejected are
left out, sections that cannot be mended so are absent; indices are translated back, so that a problem
names the place in the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from components.spec.position import Location
from components.spec.problems import errors_of
from components.spec.region import Region


@dataclass(frozen=True)
class Draft:
    """A region that may lack sections."""

    region: Region
    whole: frozenset[str]
    """Top-level keys that validated as they were written."""
    pruned: frozenset[str] = frozenset()
    """Top-level keys from which items were left out."""
    kept: dict[Location, tuple[int, ...]] = field(default_factory=dict[Location, tuple[int, ...]])
    """Original location of a pruned list -> original indices of the items that were kept."""

    def original(self, location: Location) -> Location:
        """The location in the files of a location in `region`."""
        result: Location = ()
        for step in location:
            indices = self.kept.get(result)
            result = (*result, indices[step] if indices and isinstance(step, int) else step)
        return result


def salvage(data: dict[str, Any], error: ValidationError) -> Draft:
    """The largest valid part of the data."""
    faults: dict[str, list[Location]] = {}
    for item in errors_of(error):
        location = tuple(item["loc"])
        faults.setdefault(str(location[0]), []).append(location[1:])
    sections: dict[str, Any] = {}
    pruned: set[str] = set()
    kept: dict[Location, tuple[int, ...]] = {}
    for name, info in Region.model_fields.items():
        if name not in data:
            continue
        value = data[name]
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
    whole = frozenset(sections) - pruned
    return Draft(Region.model_construct(**sections), whole, frozenset(pruned), kept)


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
