"""What the text of a switch's configuration says, read back from it: lines, sessions, addresses.

Owns the reading only; renders write, plan/actions/switches.py says what a change does. A configuration of
Cumulus is read as the `nv set` commands that it stands for; one of SONiC holds FRR's, which is read as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from components.plan import frr_sessions

_FRR_SESSION = re.compile(r"^ neighbor (\S+) interface peer-group (\S+)$", re.MULTILINE)
_FRR_REMOTE = re.compile(r"^ neighbor (\S+) remote-as (\S+)$", re.MULTILINE)
_FRR_SPEAKER = re.compile(r"^(?:router bgp .*| bgp router-id .*)$", re.MULTILINE)
_FRR_ADDRESS = re.compile(r" ip address (\S+)")

_NV_BGP = "vrf default router bgp "
_NV_SESSION = re.compile(rf"^{_NV_BGP}neighbor (\S+) peer-group (\S+)$", re.MULTILINE)
_NV_REMOTE = re.compile(rf"^{_NV_BGP}peer-group (\S+) remote-as (\S+)$", re.MULTILINE)
_NV_SPEAKER = re.compile(r"^router bgp (?:autonomous-system|router-id) .*$", re.MULTILINE)
_NV_ADDRESS = re.compile(r"^interface (?!lo |eth0 )(\S+) ip address (\S+)$", re.MULTILINE)
_KEPT = 8
"""Texts whose commands are kept: several questions are asked of each in a row."""

Session = tuple[str, str | None]
"""Peer group, and whom the group lets in."""


def lines(os: str, config: str) -> Iterator[str]:
    """What is configured, a thing a line that can be understood alone, without marks that only close blocks."""
    if os == "cumulus":
        yield from nv_set(config)
        return
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


@lru_cache(maxsize=_KEPT)
def nv_set(config: str) -> tuple[str, ...]:
    """The commands that set what the YAML holds, without `nv set`; its header configures nothing."""
    commands: list[str] = []
    path: list[tuple[int, str, bool]] = []  # depth, words so far, whether below `set`
    for line in config.splitlines():
        text = line.lstrip(" ")
        if not text:
            continue
        depth = len(line) - len(text)
        if text.startswith("- "):
            text, depth = text[2:], depth + 2
        while path and path[-1][0] >= depth:
            path.pop()
        key, _, value = text.partition(":")
        key, value = key.strip('"'), value.strip().strip('"')
        if path:
            _, above, is_set = path[-1]
            words = f"{above} {key}" if above else key
        else:
            words, is_set = "", key == "set"
        path.append((depth, words, is_set))
        if value and is_set:
            commands.append(words if value == "{}" else f"{words} {value}".lstrip())
    return tuple(commands)


def sessions(os: str, config: str) -> dict[str, Session]:
    """Port -> its session. Prefix lists and timers are no part of it: running sessions take them over."""
    if os == "cumulus":
        config = "\n".join(nv_set(config))
        found, remotes = _NV_SESSION.findall(config), _NV_REMOTE.findall(config)
    else:
        found, remotes = _FRR_SESSION.findall(config), _FRR_REMOTE.findall(config)
    remote = dict(remotes)
    return {port: (group, remote.get(group)) for port, group in found}


def speaker(os: str, config: str) -> list[str]:
    """The lines that name the speaker itself; every session restarts when one of them changes."""
    if os == "cumulus":
        return _NV_SPEAKER.findall("\n".join(nv_set(config)))
    return _FRR_SPEAKER.findall(config)


def addresses(os: str, config: str) -> dict[str, str]:
    """Port -> address; neither the loopback's nor that of the management port."""
    if os == "cumulus":
        return dict(_NV_ADDRESS.findall("\n".join(nv_set(config))))
    found: dict[str, str] = {}
    interface = ""
    for line in config.splitlines():
        if line.startswith("interface "):
            interface = line.removeprefix("interface ")
        elif (match := _FRR_ADDRESS.fullmatch(line)) and interface != "lo":
            found[interface] = match[1]
    return found


def neighbours(os: str, config: str) -> frozenset[str]:
    """Ports and addresses that the configuration has sessions with, by whatever line."""
    if os == "cumulus":
        return frozenset(sessions(os, config))
    return frr_sessions.neighbours(config)
