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
REASONS = 3
"""Reasons that differ in their values only: up to so many stand in groups of their own, more in one together."""
_ORDER = (
    ActionKind.UNDEPLOY,
    ActionKind.CLEAN,
    ActionKind.POWER_OFF,
    ActionKind.CONFIGURE,
    ActionKind.CONFIRM,
    ActionKind.ROLL_BACK,
    ActionKind.RUN_PLAYBOOK,
    ActionKind.DEPLOY,
    ActionKind.INSPECT,
    ActionKind.ENROL,
    ActionKind.REMOVE,
    ActionKind.NOTHING,
)
"""Within one danger: first what takes most away."""
_VALUES = re.compile(r" changes from .+? to .+?(?=; |, and \d+ more|$)")
_LINES = re.compile(r"^[0-9,]+ lines? of its configuration differs?$")
_HOST = re.compile(r"^(done before: |host )?([a-z][a-z0-9-]*\d)(: | is | deployed )")


def grouped(planned: Iterable[Planned]) -> tuple[ActionGroup, ...]:
    """Groups in the order of danger, layer and kind."""
    alike: dict[tuple[object, ...], dict[str, list[Planned]]] = defaultdict(lambda: defaultdict(list))
    for each in planned:
        key = (each.layer, each.action.kind, each.danger, stem(each.action.reason), each.effects)
        alike[key][each.action.reason].append(each)
    members = (group for reasons in alike.values() for group in _few(reasons))
    return tuple(sorted(map(_group, members), key=_rank))


def _few(reasons: dict[str, list[Planned]]) -> Iterable[list[Planned]]:
    if len(reasons) <= REASONS:
        return reasons.values()
    return ([each for group in reasons.values() for each in group],)


def stem(reason: str) -> str:
    """A reason without its values."""
    return _LINES.sub("lines of its configuration differ", _VALUES.sub(" changes", reason))


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


def summary(details: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The first details, alike ones as one; and how many are left out."""
    lines = list(details) if len(details) <= DETAILS else [*_folded(details)]
    shown = tuple(without_secrets(line) for line in _by_host(lines)[:DETAILS])
    return shown, len(_by_host(lines)) - len(shown)


def _folded(lines: Sequence[str]) -> Iterable[str]:
    """Lines of a configuration that differ in a number are one: what goes, then what comes, then the rest."""
    for sign in ("- ", "+ "):
        yield from fold(line for line in lines if line.startswith(sign))
    yield from (line for line in lines if not line.startswith(("- ", "+ ")))


def _by_host(details: Iterable[str]) -> list[str]:
    """Details that differ in the host only as one."""
    hosts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for detail in details:
        match = _HOST.match(detail)
        # A line of a configuration has no host in front of it.
        key = (match[1] or "", stem(detail[match.end(2) :])) if match else (detail, "")
        hosts[key].append(match[2] if match else "")
    return [detail if not rest else _line(detail, rest, names) for (detail, rest), names in hosts.items()]


def _line(prefix: str, rest: str, names: Sequence[str]) -> str:
    return f"{prefix}{', '.join(fold(names))}{rest}"
