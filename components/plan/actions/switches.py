"""Switches: which are configured anew, which lines differ, which sessions restart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from components.plan.actions.action import ActionKind, Inputs, PhysicalAction, changed, part

_SESSION = re.compile(r"^ neighbor (\S+) interface peer-group (\S+)$", re.MULTILINE)
_REMOTE = re.compile(r"^ neighbor (\S+) remote-as (\S+)$", re.MULTILINE)
_SPEAKER = re.compile(r"^(?:router bgp .*| bgp router-id .*)$", re.MULTILINE)
_ADDRESS = re.compile(r" ip address (\S+)")


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
        details = line_changes(before[name]["config"], after[name]["config"])
        ports = restarting(before[name]["config"], after[name]["config"])
        yield PhysicalAction(
            target=name,
            kind=ActionKind.CONFIGURE,
            reason=f"{len(details)} lines of its configuration differ",
            disrupts=tuple(f"{name}:{port}" for port in ports),
            details=details,
        )
    elif before[name].get("address") != after[name]["address"]:
        reason = changed("its management address", before[name].get("address"), after[name]["address"])
        yield PhysicalAction(target=name, kind=ActionKind.NOTHING, reason=f"{reason}: used from the next action on")


def line_changes(old: str, new: str) -> tuple[str, ...]:
    """`- line` for each that goes, then `+ line` for each that comes; under its context where it has one."""
    before, after = Counter(_in_context(old)), Counter(_in_context(new))
    gone, come = before - after, after - before
    return (*(f"- {line}" for line in gone.elements()), *(f"+ {line}" for line in come.elements()))


def _in_context(config: str) -> Iterator[str]:
    """Lines with the block they stand in, without the marks that only close blocks."""
    context = ""
    for line in config.splitlines():
        text = line.strip()
        if text in ("", "!", "exit", "exit-address-family", "end"):
            continue
        if not line.startswith(" "):
            context = text
            yield text
        else:
            yield f"{context}: {text}"


def restarting(old: str, new: str) -> tuple[str, ...]:
    """Ports whose BGP session ends or restarts, and edge ports whose address changes."""
    sessions, wanted = _sessions(old), _sessions(new)
    if _SPEAKER.findall(old) != _SPEAKER.findall(new):
        hit = set(sessions)
    else:
        # A session restarts when its group, or whom the group lets in, changes. Prefix lists and the
        # BFD profile's timers are taken over by running sessions.
        hit = {port for port, session in sessions.items() if wanted.get(port) != session}
    addresses = _addresses(new)
    hit |= {port for port, address in _addresses(old).items() if addresses.get(port) != address}
    return tuple(sorted(hit))


def _sessions(config: str) -> dict[str, tuple[str, str | None]]:
    remote = dict(_REMOTE.findall(config))
    return {port: (group, remote.get(group)) for port, group in _SESSION.findall(config)}


def _addresses(config: str) -> dict[str, str]:
    """Interface -> address, without the loopback."""
    addresses: dict[str, str] = {}
    interface = ""
    for line in config.splitlines():
        if line.startswith("interface "):
            interface = line.removeprefix("interface ")
        elif (match := _ADDRESS.fullmatch(line)) and interface != "lo":
            addresses[interface] = match[1]
    return addresses
