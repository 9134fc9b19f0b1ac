"""Whether a fabric in planes says an id for each of its switches; what lacks one is not planned."""

from __future__ import annotations

from collections.abc import Iterator

from components.errors import Problem
from components.spec.position import Location, Positions
from components.spec.series import Clos

AT: Location = ("fabric", "clos")


def miscounted(clos: Clos, positions: Positions) -> Iterator[Problem]:
    """A problem for each list of ids that has not as many as there are switches."""
    for key, ids, each in (
        ("spine_ids", clos.spine_ids, clos.spines_per_plane),
        ("border_ids", clos.border_ids or (), clos.borders_per_plane),
    ):
        if len(ids) == clos.planes * each:
            continue
        name = f"{key.removesuffix('_ids')}s"
        yield positions.problem(
            (*AT, key),
            f"clos-{key.replace('_', '-')}",
            f"the {name} and their ids are not as many",
            found=f"{len(ids)} ids",
            allowed=f"{clos.planes} planes x {each} {name} in each = {clos.planes * each} ids",
            remedy=f"correct {key} or {name}_per_plane; ids in use stay with their switch",
        )
