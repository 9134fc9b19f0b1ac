"""What a rule over a catalogue is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from components.spec.catalogue.catalogue import Catalogue
from components.spec.fault import Fault

Find = Callable[[Catalogue], Iterable[Fault]]


@dataclass(frozen=True)
class Check:
    """A pure rule with a stable id. Locations of its faults begin with `catalogue`."""

    id: str
    partial: bool
    """Whether it is right for a part of the items too: faults of one item are, missing names are not."""
    find: Find

    @property
    def about(self) -> str:
        """What must hold, in a sentence."""
        return " ".join((self.find.__doc__ or "").split())


def check(id: str, *, partial: bool = False) -> Callable[[Find], Check]:
    """Make a function over a catalogue a rule."""

    def make(find: Find) -> Check:
        return Check(id, partial, find)

    return make
