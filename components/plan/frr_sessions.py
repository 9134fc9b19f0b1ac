"""What an FRR configuration says about sessions, read back from its text.

Owns the reading only: plan/frr.py renders, plan/actions/switches.py says what a change does. A switch may carry
lines that this project did not render, so both `neighbor PORT interface ...` and `neighbor ADDRESS remote-as ...`
are understood.
"""

from __future__ import annotations

import re

_MEMBER = re.compile(r"^ neighbor (\S+) (?:interface|remote-as|peer-group \S+)\b", re.M)
_GROUP = re.compile(r"^ neighbor (\S+) peer-group$", re.M)
_SECRET = re.compile(r"(\bpassword(?: \d)? |\bauthentication-key |\bkey-string )\S+")


def neighbours(config: str) -> frozenset[str]:
    """Ports and addresses that the configuration has sessions with."""
    return frozenset(_MEMBER.findall(config)) - frozenset(_GROUP.findall(config))


def has_bfd(config: str) -> bool:
    """Whether sessions are watched by BFD."""
    return re.search(r"^bfd$", config, re.M) is not None


def without_secrets(text: str) -> str:
    """The text with passwords and keys blanked."""
    return _SECRET.sub(r"\1***", text)
