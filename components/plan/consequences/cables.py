"""Which cables are laid, moved and taken out by hand."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache

from components.plan.consequences.model import CableGroup, CableWork
from components.plan.consequences.names import fold
from components.plan.model import RegionPlan
from components.plan.networks.model import CableRun

EXAMPLES = 3
_NUMBERS = re.compile(r"\d+")
End = tuple[str, str]
"""Device and port."""
Run = tuple[str, End, End]
"""Network, and both ends in order."""


def runs_of(plan: RegionPlan | None) -> dict[Run, CableRun]:
    """All cables of a region, with their length and make."""
    cables = plan.networks.cables if plan else ()
    return {_run(c.network, (c.a_device, c.a_port), (c.b_device, c.b_port)): c.run for c in cables}


def _run(network: str, a: End, b: End) -> Run:
    return (network, a, b) if a <= b else (network, b, a)


def cable_work(old: Set[Run], new: Set[Run]) -> Iterator[tuple[CableWork, Run, Run | None]]:
    """What is done, with which cable, and for a moved one where it was."""
    gone, come = old - new, new - old
    free: dict[tuple[str, End], Run] = {}
    for run in sorted(gone):
        for end in run[1:]:
            free.setdefault((run[0], end), run)
    taken: set[Run] = set()
    for run in sorted(come):
        before = next((r for end in run[1:] if (r := free.get((run[0], end))) and r not in taken), None)
        if before is None:
            yield CableWork.ADD, run, None
        else:
            taken.add(before)
            yield CableWork.MOVE, run, before
    for run in sorted(gone - taken):
        yield CableWork.REMOVE, run, None


def cable_groups(
    work: Iterable[tuple[CableWork, Run, Run | None]], kinds: Mapping[Run, CableRun]
) -> tuple[CableGroup, ...]:
    """Alike ones together: moved first, as work on what is in use; then removed, then new ones.

    `kinds` are the lengths of the cables that are, or were, there.
    """
    order = (CableWork.MOVE, CableWork.REMOVE, CableWork.ADD)
    groups: Mapping[tuple[int, str, str], list[tuple[Run, Run | None]]] = defaultdict(list)
    for what, run, before in work:
        groups[(order.index(what), run[0], _form(run))].append((run, before))
    return tuple(
        CableGroup(
            work=order[what],
            network=network,
            count=len(members),
            devices=fold({end[0] for run, _ in members for end in run[1:]}),
            lengths=tuple(_lengths((run for run, _ in members), kinds)),
            examples=tuple(_text(run, before) for run, before in members[:EXAMPLES]),
        )
        for (what, network, _), members in sorted(groups.items())
    )


def _form(run: Run) -> str:
    """Kinds of devices at both ends, by their names without numbers."""
    one, other = _kind(run[1][0]), _kind(run[2][0])
    return f"{one} {other}" if one <= other else f"{other} {one}"


@cache
def _kind(device: str) -> str:
    return _NUMBERS.sub("#", device)


def _text(run: Run, before: Run | None) -> str:
    text = " - ".join(" ".join(end) for end in run[1:])
    return f"{text}, now {' - '.join(' '.join(end) for end in before[1:])}" if before else text


def _lengths(runs: Iterable[Run], kinds: Mapping[Run, CableRun]) -> Iterator[str]:
    counts = Counter(kinds[run] for run in runs if run in kinds)
    for kind, count in sorted(counts.items(), key=lambda item: (item[0].length_m, item[0].name, item[0].media)):
        yield f"{count} {kind.name}, {kind.length_m} m {kind.media}"
