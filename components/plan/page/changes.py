"""What a change touches, laid over the pictures: which rack, tray, switch, row and feed, and how badly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from components.plan.consequences.model import (
    DANGERS,
    ActionGroup,
    CableGroup,
    Consequences,
    Danger,
    HandWork,
)
from components.plan.consequences.names import unfold
from components.plan.model import RegionPlan
from components.words import count

SYMBOLS: Mapping[Danger, str] = MappingProxyType(
    {
        Danger.HOST_LOST: "✖",
        Danger.WIPED: "◆",
        Danger.INTERRUPTED: "▲",
        Danger.CHANGED: "●",
        Danger.RECORDED: "○",
    }
)
"""A shape for each danger, for those who do not see its colour."""
WORDS: Mapping[Danger, str] = MappingProxyType(
    {
        Danger.HOST_LOST: "host lost",
        Danger.WIPED: "disks wiped",
        Danger.INTERRUPTED: "interrupted",
        Danger.CHANGED: "changed",
        Danger.RECORDED: "recorded only",
    }
)
SHOWN = 20
"""Details of one change that the page lists."""


@dataclass(frozen=True)
class Change:
    """One line of the list of changes."""

    danger: Danger
    title: str
    text: str
    targets: tuple[str, ...]
    """Folded."""
    devices: frozenset[str]
    """All of them: hosts, racks, switches."""
    details: tuple[str, ...] = ()


@dataclass
class Marks:
    """The worst danger of each thing in the pictures, as an index of `DANGERS`."""

    racks: dict[int, int] = field(default_factory=dict[int, int])
    trays: dict[int, dict[int, int]] = field(default_factory=dict[int, dict[int, int]])
    """Rack -> slot -> danger."""
    switches: dict[int, int] = field(default_factory=dict[int, int])
    units: dict[int, int] = field(default_factory=dict[int, int])
    """Of units whose switches of the compute network are concerned."""


def changes_of(consequences: Consequences) -> tuple[Change, ...]:
    """All that is done by programs and by hand, most dangerous first."""
    found = [
        *map(_action, consequences.actions),
        *map(_hand_work, consequences.hand_work),
        *map(_cables, consequences.cables),
    ]
    return tuple(sorted(found, key=lambda change: DANGERS.index(change.danger)))


def change_data(plan: RegionPlan, consequences: Consequences | None) -> dict[str, Any] | None:
    """The changes with the things in the pictures that each concerns."""
    if consequences is None:
        return None
    index = _Index(plan)
    marks, listed = Marks(), list[dict[str, Any]]()
    for change in changes_of(consequences):
        level = DANGERS.index(change.danger)
        racks, switches, units = index.places(change.devices)
        listed.append({"racks": sorted(racks), "switches": sorted(switches)})
        if change.danger is Danger.RECORDED:
            continue  # no device notices, so nothing in a picture is marked
        for rack, slots in racks.items():
            _worsen(marks.racks, rack, level)
            for slot in slots:
                _worsen(marks.trays.setdefault(rack, {}), slot, level)
        for switch in switches:
            _worsen(marks.switches, switch, level)
        for unit in units:
            _worsen(marks.units, unit, level)
    return {
        "words": [WORDS[danger] for danger in DANGERS],
        "symbols": [SYMBOLS[danger] for danger in DANGERS],
        "list": listed,
        "racks": marks.racks,
        "trays": {rack: _digits(slots) for rack, slots in marks.trays.items()},
        "switches": marks.switches,
        "units": marks.units,
        "gone": list(_gone(plan, consequences)),
    }


def _gone(plan: RegionPlan, consequences: Consequences) -> Iterator[list[Any]]:
    """Racks that are no longer described: name, hall, row, position, profile and trays. A place where another
    rack stands now is drawn with that one."""
    halls = {hall.name: index for index, hall in enumerate(plan.site.halls)}
    taken = {(place.hall, place.row, place.position) for place in plan.topology.racks}
    for rack in consequences.gone:
        if rack.hall in halls and (rack.hall, rack.row, rack.position) not in taken:
            yield [rack.rack, halls[rack.hall], rack.row, rack.position, rack.profile, rack.trays]


class _Index:
    """Where names of devices stand in the page's tables."""

    def __init__(self, plan: RegionPlan) -> None:
        self._racks = {rack.name: number for number, rack in enumerate(plan.racks)}
        self._trays = {host.name: (self._racks[host.rack], host.slot) for host in plan.hosts}
        self._switches = {switch.name: number for number, switch in enumerate(plan.fabric.switches)}
        compute, managed = plan.networks.compute, plan.networks.oob.switches
        self._units = {switch.name: switch.unit for switch in compute.switches if switch.unit} if compute else {}
        self._racks |= {switch.name: self._racks[switch.rack] for switch in managed if switch.rack}

    def places(self, devices: Iterable[str]) -> tuple[dict[int, set[int]], set[int], set[int]]:
        """Racks with the slots concerned, switches, and units of the compute network; what the pictures do not show is left out."""
        racks: dict[int, set[int]] = {}
        switches: set[int] = set()
        units: set[int] = set()
        for device in devices:
            if device in self._trays:
                rack, slot = self._trays[device]
                racks.setdefault(rack, set()).add(slot)
            elif device in self._racks:
                racks.setdefault(self._racks[device], set())
            elif device in self._switches:
                switches.add(self._switches[device])
            elif device in self._units:
                units.add(self._units[device])
        return racks, switches, units


def _worsen(levels: dict[int, int], key: int, level: int) -> None:
    levels[key] = min(level, levels.get(key, level))


def _digits(slots: dict[int, int]) -> str:
    """A digit for each slot from the first; `-` where nothing happens."""
    return "".join(str(slots.get(slot, "-")) for slot in range(1, max(slots, default=0) + 1))


def _action(group: ActionGroup) -> Change:
    what = f"{group.kind.value} {_many(group.count, group.targets)}"
    details = (*group.effects, *group.examples, *(f"disrupts {d}" for d in group.disrupts), *group.details)
    return Change(
        danger=group.danger,
        title=what,
        text=group.reason,
        targets=group.targets,
        devices=frozenset({*unfold(group.targets), *_devices(group.disrupts)}),
        details=_shortened(details, group.details_left_out),
    )


def _hand_work(work: HandWork) -> Change:
    return Change(
        danger=Danger.INTERRUPTED,
        title=f"by hand: {work.what} {_many(work.count, work.targets)}",
        text=work.reason,
        targets=work.targets,
        devices=frozenset(unfold(work.targets)),
    )


def _cables(group: CableGroup) -> Change:
    return Change(
        danger=Danger.CHANGED,
        title=f"by hand: {group.work.value} {count(group.count, 'cable')} ({group.network})",
        text=", ".join(group.devices[:3]) + (" and others" if len(group.devices) > 3 else ""),
        targets=group.devices,
        devices=frozenset(unfold(group.devices)),
        details=_shortened((*group.lengths, *group.examples)),
    )


def _devices(disrupted: Iterable[str]) -> Iterator[str]:
    """The switch of `switch:port`."""
    return (name.partition(":")[0] for name in unfold(disrupted))


def _many(count: int, targets: tuple[str, ...]) -> str:
    return targets[0] if count == 1 and targets else f"{count:,} devices"


def _shortened(details: tuple[str, ...], left_out: int = 0) -> tuple[str, ...]:
    left_out += max(0, len(details) - SHOWN)
    return (*details[:SHOWN], *((f"and {left_out:,} more",) if left_out else ()))
