"""The kinds of endpoints of an NVL72 rack, and where each stands in it.

Counts by rack: 18 compute trays with two BlueField-3 each, 9 NVLink switch trays, 8 power shelves
(docs.nvidia.com/dgx/dgxgb200-user-guide/hardware.html): 71 endpoints, so 250 racks are 17,750.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

TRAYS, SWITCHES, SHELVES = 18, 9, 8
DPUS = ("left-bf3", "right-bf3")


class Kind(StrEnum):
    """What answers at an address."""

    COMPUTE_TRAY = "compute_tray"
    DPU = "dpu"
    NVLINK_SWITCH = "nvlink_switch"
    POWER_SHELF = "power_shelf"


class Place(NamedTuple):
    """A position of a rack that has a BMC."""

    name: str
    """Unique in the rack; a compute tray's is its slot, as in the list of received hardware."""
    kind: Kind
    host: int
    """Last byte of its address in the rack's /24."""


def places() -> Iterator[Place]:
    """All positions of a rack."""
    for slot in range(1, TRAYS + 1):
        yield Place(str(slot), Kind.COMPUTE_TRAY, slot)
        for side, dpu in enumerate(DPUS):
            yield Place(f"{slot}/{dpu}", Kind.DPU, 100 + 2 * slot - 1 + side)
    for n in range(1, SWITCHES + 1):
        yield Place(f"nvlink/{n}", Kind.NVLINK_SWITCH, 200 + n)
    for n in range(1, SHELVES + 1):
        yield Place(f"power-shelf/{n}", Kind.POWER_SHELF, 220 + n)
