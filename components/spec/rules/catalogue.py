"""Rules on the catalogue that a region refers to, as a region's loader runs them."""

from __future__ import annotations

from collections.abc import Iterable

from components.spec.catalogue.check import Check
from components.spec.catalogue.checks import CHECKS
from components.spec.region import Region
from components.spec.rules.rule import Fault, Rule


def _rule(check: Check) -> Rule:
    def find(region: Region) -> Iterable[Fault]:
        return check.find(region.catalogue)

    find.__doc__ = check.find.__doc__
    return Rule(check.id, frozenset({"catalogue"}), check.partial, find)


RULES = tuple(_rule(check) for check in CHECKS)
