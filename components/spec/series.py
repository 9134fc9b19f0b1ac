"""Racks and switches that are alike, written once.

Owns the short forms of a description (`racks: - series:`, `fabric: clos:`) and how they become the long
ones, so that rules and plan know explicit racks and switches only. What a member gets follows from its
own id, never from its place in a list: adding one changes no other.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from components.spec.base import Model
from components.spec.rack import Place, Role
from components.spec.types import Id, Interface, Name

MAX_SERIES = 4096
"""Members that one series may have: more is a slip of the finger."""


def _ids(value: object) -> object:
    """`1-16,18-250` or one number -> the ids in ascending order."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    found: set[int] = set()
    total = 0
    for part in text.split(","):
        match = re.fullmatch(r"\s*([1-9][0-9]{0,5})(?:-([1-9][0-9]{0,5}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        total += max(0, last - first + 1)
        if last < first or total > MAX_SERIES:
            found.clear()
            break
        found.update(range(first, last + 1))
    if not found or len(found) != total:
        raise PydanticCustomError(
            "id-range",
            "this is not a list of ids",
            {
                "allowed": f"numbers and FIRST-LAST joined by commas, each id once, at most {MAX_SERIES} of them",
                "remedy": "write for example 1-16,18-250",
            },
        )
    return tuple(sorted(found))


Ids = Annotated[
    tuple[int, ...],
    BeforeValidator(_ids),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9, -]+$"}]}),
]


class RackSeries(Model):
    """Racks that differ in their ids only: `ess-r` with ids 1-250 is ess-r001 to ess-r250."""

    series: Annotated[str, Field(pattern="^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=40)]
    """What their names begin with; the id follows, with three digits at least."""
    ids: Ids
    """Ids of the racks, such as `1-16,18-250`. A rack that goes leaves a gap: no other takes its id."""
    profile: Name
    image: Name
    protect: bool
    role: Literal[Role.CONTROL_PLANE, Role.GPU_WORKER]
    """Of every tray that is not a spare."""
    slots: Ids | None = None
    """Slots that hold a tray, where not all of the profile's do."""
    spares: Annotated[int, Field(ge=0, le=64)] = 0
    """Trays of each rack, the last ones, that are kept as spares: 2 keeps the promise of 16 of 18."""
    places: tuple[Place, ...] = ()
    """One for each id, in their order, where the racks do not stand by their ids."""


class Clos(Model):
    """A leaf-spine fabric in planes that do not meet: leaf k of each scalable unit is in plane k.

    Every leaf of a plane has one link to every spine of the plane. Leaves are built for every unit in
    which a rack has its id, border leaves once for each plane.
    """

    planes: Annotated[int, Field(ge=1, le=8)]
    """Also the number of leaves of each unit: a tray has a link into each of the first planes."""
    spines_per_plane: Annotated[int, Field(ge=1, le=64)]
    host_lanes: Annotated[int, Field(ge=1, le=8)] = 1
    """Hosts that share a port of a leaf by a breakout cable: with 4, an 800G port serves four at 200G."""
    borders_per_plane: Annotated[int, Field(ge=0, le=8)] = 1
    """Leaves that hold the routed links to the world outside."""
    border_port: Interface
    """The port of a border leaf that leads outside."""
    spine_ids: Ids
    """Ids of all spines, given to the planes in turn: of four planes, the first four ids are their first spines.
    More spines take ids at the end."""
    border_ids: Ids | None = None
    """Ids of the border leaves, given to the planes in turn."""
    first_leaf_id: Id
    """Leaf k of unit u has this id + (u - 1) * planes + (k - 1)."""
