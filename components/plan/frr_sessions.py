"""What an FRR configuration says about BGP sessions, and what a change of it does to them.

Owns the reading of sessions and the comparison of two configurations for people. Deliberately does not render
(plan/frr.py does) and knows only the lines that decide whether a session must start again.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

SHAPING = frozenset(
    {"remote-as", "local-as", "update-source", "ebgp-multihop", "ttl-security", "password", "shutdown", "activate"}
)
"""Words of a neighbour that BGP negotiates at the start of a session: a change starts it again."""
_SECRET = re.compile(r"(\bpassword(?: \d)? |\bkey \d* ?|\bauthentication-key )\S+")


@dataclass
class _Speaker:
    asn: str = ""
    router_id: str = ""
    groups: set[str] = field(default_factory=set[str])
    member_of: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Neighbour or group -> its shaping lines."""


def _read(config: str) -> _Speaker:
    speaker = _Speaker()
    inside = False
    for raw in config.splitlines():
        line = raw.strip()
        if not raw.startswith(" "):
            inside = line.startswith("router bgp ")
            if inside:
                speaker.asn = line.split()[2]
        elif inside and line.startswith("bgp router-id "):
            speaker.router_id = line.split()[2]
        elif inside and (match := re.match(r"(no )?neighbor (\S+) (.+)", line)):
            _read_neighbour(speaker, match[1] or "", match[2], match[3])
    return speaker


def _read_neighbour(speaker: _Speaker, negation: str, name: str, rest: str) -> None:
    words = rest.split()
    if words == ["peer-group"]:
        speaker.groups.add(name)
        return
    if "peer-group" in words:
        speaker.member_of[name] = words[words.index("peer-group") + 1]
    if words[0] == "interface" and "remote-as" in words:
        speaker.lines.setdefault(name, set()).add(" ".join(words[words.index("remote-as") :]))
    elif words[0] in SHAPING:
        speaker.lines.setdefault(name, set()).add(negation + rest)


def neighbours(config: str) -> frozenset[str]:
    """Ports and addresses that the configuration has sessions with."""
    speaker = _read(config)
    return frozenset((speaker.lines.keys() | speaker.member_of.keys()) - speaker.groups)


def _signatures(config: str) -> dict[str, tuple[str, str, frozenset[str]]]:
    speaker = _read(config)
    return {
        name: (
            speaker.asn,
            speaker.router_id,
            frozenset(speaker.lines.get(name, set()) | speaker.lines.get(speaker.member_of.get(name, ""), set())),
        )
        for name in neighbours(config)
    }


def restarting(old: str, new: str) -> frozenset[str]:
    """Neighbours of both configurations whose session starts again: AS, router id or terms of the session change."""
    before, after = _signatures(old), _signatures(new)
    return frozenset(name for name in before.keys() & after.keys() if before[name] != after[name])


def without_secrets(text: str) -> str:
    """The text with passwords and keys blanked."""
    return _SECRET.sub(r"\1***", text)


def line_diff(old: str, new: str) -> list[str]:
    """Unified difference without file names, secrets blanked; empty when equal.

    Blanking happens last, so that a changed password still shows as a change.
    """
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
    return [without_secrets(line) for line in lines if not line.startswith(("---", "+++"))]
