"""What a rule over a whole description is, and how rules are run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.errors import Problem
from components.spec.draft import Draft
from components.spec.position import Location, Positions, text_of
from components.spec.region import Region


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One breach of a rule."""

    at: Location
    message: str
    found: str | None = None
    allowed: str | None = None
    remedy: str


def unknown(at: Location, what: str, found: str, known: Iterable[str], where: str) -> Fault:
    """A name that stands nowhere, with the nearest that does."""
    names = sorted(known)
    close = difflib.get_close_matches(found, names, n=1)
    return Fault(
        at=at,
        message=f"there is no such {what}",
        found=found,
        allowed=", ".join(names) or "none is declared",
        remedy=f"did you mean {close[0]}?" if close else f"declare it in {where}, or name another",
    )


Check = Callable[[Region], Iterable[Fault]]


@dataclass(frozen=True)
class Rule:
    """A pure check with a stable id."""

    id: str
    needs: frozenset[str]
    """Top-level keys that it looks at; it is skipped where one of them did not validate."""
    partial: bool
    """Whether it is right for a part of the items too: duplicates stay duplicates, counts do not."""
    check: Check

    def fits(self, draft: Draft) -> bool:
        """Whether the draft holds enough for this rule not to accuse anyone wrongly."""
        present = draft.whole | draft.pruned if self.partial else draft.whole
        return self.needs <= present


def rule(id: str, *needs: str, partial: bool = False) -> Callable[[Check], Rule]:
    """Make a function over a region a rule."""

    def make(check: Check) -> Rule:
        return Rule(id, frozenset(needs), partial, check)

    return make


def run(rules: Iterable[Rule], draft: Draft, positions: Positions) -> Iterator[Problem]:
    """All problems that the rules find, each with its place."""
    for each in rules:
        if not each.fits(draft):
            continue
        for fault in each.check(draft.region):
            location = draft.original(fault.at)
            place = positions.of(location)
            yield Problem(
                path=text_of(location),
                message=fault.message,
                found=fault.found,
                allowed=fault.allowed,
                remedy=fault.remedy,
                file=place.file if place else None,
                line=place.line if place else None,
                rule=each.id,
            )
