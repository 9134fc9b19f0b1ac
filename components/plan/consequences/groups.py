"""Many actions as a few groups, most dangerous first.

Actions belong together when only the values in their reasons differ. A group names all of its devices, folded,
so nothing is hidden by its being short.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from components.plan.actions import ActionKind
from components.plan.consequences.model import DANGERS, ActionGroup
from components.plan.consequences.names import fold
from components.plan.consequences.planned import Planned
from components.plan.consequences.snapshot import LAYERS
from components.plan.frr_sessions import without_secrets

EXAMPLES = 3
DETAILS = 12
_ORDER = tuple(ActionKind)
_VALUES = re.compile(r" changes from .+? to .+?(?=; |, and \d+ more|$)")
_LINES = re.compile(r"^\d+ lines of ")
_HOST = re.compile(r"^(done before: |host )?([a-z][a-z0-9-]*\d)(: | is | deployed )")


def grouped(planned: Iterable[Planned]) -> tuple[ActionGroup, ...]:
    """Groups in the order of danger, layer and kind."""
    members: dict[tuple[object, ...], list[Planned]] = defaultdict(list)
    for each in planned:
        members[(each.layer, each.action.kind, each.danger, stem(each.action.reason), each.effects)].append(each)
    return tuple(sorted(map(_group, members.values()), key=_rank))


def stem(reason: str) -> str:
    """A reason without its values."""
    return _LINES.sub("lines of ", _VALUES.sub(" changes", reason))


def _rank(group: ActionGroup) -> tuple[object, ...]:
    return (
        DANGERS.index(group.danger),
        LAYERS.index(group.layer),
        _ORDER.index(group.kind),
        group.reason,
        group.targets,
    )


def _group(members: Sequence[Planned]) -> ActionGroup:
    first = members[0]
    reasons = {each.action.reason for each in members}
    disrupts = sorted({name for each in members for name in each.action.disrupts})
    details, left_out = summary(first.action.details)
    return ActionGroup(
        layer=first.layer,
        kind=first.action.kind,
        danger=first.danger,
        reason=first.action.reason if len(reasons) == 1 else stem(first.action.reason),
        count=len(members),
        targets=fold(each.action.target for each in members),
        racks=fold({each.rack for each in members if each.rack}),
        examples=()
        if len(reasons) == 1
        else tuple(f"{each.action.target}: {each.action.reason}" for each in members[:EXAMPLES]),
        disrupts=fold(disrupts),
        disrupts_count=len(disrupts),
        effects=first.effects,
        details=details,
        details_left_out=left_out,
    )


def summary(details: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """The first details, those that differ in the host only as one; and how many are left out."""
    hosts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for detail in details:
        match = _HOST.match(detail)
        # A line of a configuration has no host in front of it.
        key = (match[1] or "", detail[match.end(2) :]) if match else (detail, "")
        rest = stem(key[1])
        hosts[(key[0], rest)].append(match[2] if match else "")
    lines = [
        detail if not rest and names == [""] * len(names) else _line(detail, rest, names)
        for (detail, rest), names in hosts.items()
    ]
    shown = tuple(without_secrets(line) for line in lines[:DETAILS])
    return shown, len(lines) - len(shown)


def _line(prefix: str, rest: str, names: Sequence[str]) -> str:
    return f"{prefix}{', '.join(fold(names))}{rest}"
