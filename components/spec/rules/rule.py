"""What a rule over a whole description is, and how rules are run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.errors import Problem
from components.spec.draft import Draft
from components.spec.fault import Fault, unknown
from components.spec.position import Positions
from components.spec.region import Region

__all__ = ["Check", "Fault", "Rule", "rule", "run", "unknown"]

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

    @property
    def about(self) -> str:
        """What must hold, in a sentence."""
        return " ".join(self._parts[0].split())

    @property
    def example(self) -> str:
        """A description that breaks it, in words; empty where the sentence says it all."""
        return " ".join(self._parts[2].split())

    @property
    def section(self) -> str:
        """What it is about: the module or package below this one that owns it."""
        return self.check.__module__.removeprefix(f"{__package__}.").partition(".")[0]

    @property
    def _parts(self) -> tuple[str, str, str]:
        return (self.check.__doc__ or "").partition("Example:")

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
            yield positions.problem(
                location, each.id, fault.message, found=fault.found, allowed=fault.allowed, remedy=fault.remedy
            )
