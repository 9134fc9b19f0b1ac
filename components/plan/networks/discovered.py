"""The compute network as it was found, held against the plan.

Reads what `ibnetdiscover` prints. Nodes are known by their descriptions, which are the plan's names once
switches and hosts have been configured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

End = tuple[str, int]
"""Node and port number."""

Link = tuple[End, End]
"""Lower end first, so that a link is the same from either side."""

_NODE = re.compile(r'^(?:Switch|Ca)\s+[0-9]+ "([^"]+)"\s+# "([^"]*)"', re.MULTILINE)
_PORT = re.compile(r'^\[([0-9]+)\](?:\([0-9a-f]+\))?\s+"([^"]+)"\[([0-9]+)\]')


@dataclass(frozen=True, kw_only=True)
class Differences:
    """Links that are not as planned."""

    missing: tuple[Link, ...]
    """Planned and not found."""
    unplanned: tuple[Link, ...]
    """Found and not planned; a cable in a wrong port is both."""


def link(a: End, b: End) -> Link:
    """The link between two ends."""
    return (a, b) if a <= b else (b, a)


def planned_links(topology: str) -> frozenset[Link]:
    """Links of a rendered topology, whose nodes are called by their names."""
    return frozenset(_links(topology, re.compile(r'^(?:Switch|Hca) [0-9]+ "([^"]+)"()', re.MULTILINE)))


def found_links(discovered: str) -> frozenset[Link]:
    """Links in the output of `ibnetdiscover`."""
    return frozenset(_links(discovered, _NODE))


def compare(topology: str, discovered: str) -> Differences:
    """What is missing and what is too much, in order."""
    planned, found = planned_links(topology), found_links(discovered)
    return Differences(missing=tuple(sorted(planned - found)), unplanned=tuple(sorted(found - planned)))


def _links(text: str, header: re.Pattern[str]) -> Iterator[Link]:
    names = {match[1]: match[2] or match[1] for match in header.finditer(text)}
    here = ""
    for line in text.splitlines():
        if match := header.match(line):
            here = names[match[1]]
        elif match := _PORT.match(line):
            yield link((here, int(match[1])), (names.get(match[2], match[2]), int(match[3])))
