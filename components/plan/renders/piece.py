"""Renders in pieces, each with all that it is made from, so that what did not change is not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.plan.model import RegionPlan

Files = Iterator[tuple[str, str]]
"""Path below the render's folder, and text; each path once, in an order that the plan alone decides."""


@dataclass(frozen=True)
class Piece:
    """Files that are made together."""

    name: str
    """Unique in the render."""
    reads: tuple[object, ...]
    """Parts of the plan that the files depend on: equal parts give equal files."""
    files: Callable[[], Files]


@dataclass(frozen=True, kw_only=True)
class Render:
    """Files of one kind."""

    pieces: Callable[[RegionPlan], Iterable[Piece]]
    about: str
    """What they are, in a line."""
    needs_artifacts: bool = False
    """Whether published images are named in them; all else is rendered before anything is published."""

    def files(self, plan: RegionPlan) -> Files:
        """All of them."""
        for piece in self.pieces(plan):
            yield from piece.files()

    def changed(self, old: RegionPlan, new: RegionPlan) -> Files:
        """Those that may differ between two plans; files that are gone are not told."""
        before = {piece.name: piece.reads for piece in self.pieces(old)}
        for piece in self.pieces(new):
            if before.get(piece.name) != piece.reads:
                yield from piece.files()


def whole(files: Callable[[RegionPlan], Files]) -> Callable[[RegionPlan], Iterable[Piece]]:
    """One piece that depends on the whole plan."""
    return lambda plan: (Piece("", (plan,), lambda: files(plan)),)
