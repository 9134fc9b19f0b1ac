"""One breach of a rule, before anyone knows in which file it stands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from components.spec.position import Location


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
