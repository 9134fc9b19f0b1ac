"""Which plays of a playbook work host by host.

Owns the reading of the tag by which a play says so. That no such play hides something that needs all hosts is held
by tests/contract/test_playbook_kinds.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML, YAMLError

from components.plan.playbook_shards import PlayKind


def play_kinds(playbook: Path) -> tuple[PlayKind, ...]:
    """Kind of each play, in order. A play without the tag, and one of another playbook, is for all hosts together."""
    try:
        plays = cast("Any", YAML(typ="safe")).load(playbook.read_text())
    except (OSError, YAMLError):
        return ()  # Ansible says what is wrong with it, in its own words
    return tuple(_kind(cast("dict[str, Any]", play)) for play in plays or () if isinstance(play, dict))


def _kind(play: dict[str, Any]) -> PlayKind:
    tags: str | list[str] = play.get("tags") or []
    named = tags.split(",") if isinstance(tags, str) else tags
    return PlayKind.PER_HOST if PlayKind.PER_HOST in named else PlayKind.TOGETHER
