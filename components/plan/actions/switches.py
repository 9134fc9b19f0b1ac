"""Switches: which are configured anew, which lines differ, which sessions restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.plan import switch_text
from components.plan.actions.action import ActionKind, Inputs, PhysicalAction, changed, part
from components.words import count

FRR = "frr"
"""The system of a switch that an earlier state recorded without one."""


def switch_actions(old: Inputs | None, new: Inputs | None) -> tuple[PhysicalAction, ...]:
    """Actions of a group of switches. A switch that leaves the group is left as it is."""
    before, after = part(old, "switches"), part(new, "switches")
    return tuple(action for name in sorted({*before, *after}) for action in _switch(name, before, after))


def _switch(name: str, before: Inputs, after: Inputs) -> Iterator[PhysicalAction]:
    if name not in after:
        yield PhysicalAction(
            target=name, kind=ActionKind.NOTHING, reason="no longer described: it keeps its configuration"
        )
    elif name not in before:
        yield PhysicalAction(target=name, kind=ActionKind.CONFIGURE, reason="new in the fabric")
    elif before[name]["config"] != after[name]["config"]:
        old, new = before[name]["config"], after[name]["config"]
        before_os, os = before[name].get("os", FRR), after[name].get("os", FRR)
        details = line_changes(old, new, before_os=before_os, os=os)
        ports = restarting(old, new, before_os=before_os, os=os)
        yield PhysicalAction(
            target=name,
            kind=ActionKind.CONFIGURE,
            reason=count(len(details), "line of its configuration differs", "lines of its configuration differ"),
            disrupts=tuple(f"{name}:{port}" for port in ports),
            details=details,
        )
    elif before[name].get("address") != after[name]["address"]:
        reason = changed("its management address", before[name].get("address"), after[name]["address"])
        yield PhysicalAction(target=name, kind=ActionKind.NOTHING, reason=f"{reason}: used from the next action on")


def line_changes(old: str, new: str, *, before_os: str = FRR, os: str = FRR) -> tuple[str, ...]:
    """`- line` for each that goes, then `+ line` for each that comes; under its context where it has one."""
    before, after = Counter(switch_text.lines(before_os, old)), Counter(switch_text.lines(os, new))
    gone, come = before - after, after - before
    return (*(f"- {line}" for line in gone.elements()), *(f"+ {line}" for line in come.elements()))


def restarting(old: str, new: str, *, before_os: str = FRR, os: str = FRR) -> tuple[str, ...]:
    """Ports whose BGP session ends or restarts, and edge ports whose address changes."""
    sessions, wanted = switch_text.sessions(before_os, old), switch_text.sessions(os, new)
    if switch_text.speaker(before_os, old) != switch_text.speaker(os, new):
        hit = set(sessions)
    else:
        # A session restarts when its group, or whom the group lets in, changes. Prefix lists and the
        # BFD profile's timers are taken over by running sessions.
        hit = {port for port, session in sessions.items() if wanted.get(port) != session}
    addresses = switch_text.addresses(os, new)
    hit |= {port for port, address in switch_text.addresses(before_os, old).items() if addresses.get(port) != address}
    return tuple(sorted(hit))
