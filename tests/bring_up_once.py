"""What an undisturbed bring-up does to each endpoint, once, and the comparison with what was done."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from components.engine.journal import Journal
from stacks.bring_up import scope_of
from tests.bring_up_world import World

ONCE: Mapping[str, Mapping[str, int]] = {
    "power_shelf": {"password_change": 1, "flash": 2, "bmc_reset": 1},
    "nvlink_switch": {"password_change": 1, "flash": 6, "aux_cycle": 1},
    "dpu": {"password_change": 1, "flash": 4, "bmc_reset": 1, "power_cycle": 1},
    "compute_tray": {
        "password_change": 1,
        "flash": 11,
        "aux_cycle": 1,
        "bios_set": 4,
        "power_on": 1,
        "power_off": 1,
    },
}
"""Kind -> what the simulator counts; a flash is counted by component."""
CHANGES = 8 * 3 + 9 * 3 + 36 * 4 + 18 * 6
"""Requests of a rack that change something."""
KINDS = {"power_shelf": 8, "nvlink_switch": 9, "dpu": 36, "compute_tray": 18}
"""Endpoints of a rack."""


def kind_of(endpoint: str) -> str:
    """From its name."""
    place = endpoint.partition("/")[2]
    if place.startswith(("nvlink", "power-shelf")):
        return "nvlink_switch" if place.startswith("nvlink") else "power_shelf"
    return "dpu" if "/" in place else "compute_tray"


def assert_everything_happened_once(there: World, *, but: Collection[str] = (), journal: Path | None = None) -> None:
    """All of the fleet was brought up, nothing was done twice, no intent and no lock is left; `but` for some. The run's
    `journal` is the world's own, if no other is named."""
    found = {name: done for name, done in there.ledger().items() if name not in but}
    wrong = {name: done for name, done in found.items() if done != ONCE[kind_of(name)]}
    assert not wrong, f"{len(wrong)} endpoints, such as {dict(list(wrong.items())[:3])}"
    if not but:
        assert Counter(map(kind_of, found)) == {kind: n * there.racks for kind, n in KINDS.items()}
    path = journal or there.files.journal
    marks = ", ".join("?" * len(but))
    with sqlite3.connect(path) as recorded:
        (left,) = recorded.execute(
            f"SELECT count(*) FROM actions WHERE outcome IS NULL AND target NOT IN ({marks})",  # noqa: S608
            tuple(but),
        ).fetchone()
    assert left == 0, "an intent has no outcome"
    Journal.open(path, scope=scope_of("essonne"), wait_s=0).close()  # no lock is left
