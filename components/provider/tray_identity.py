"""Whether a machine is the one that the description means. Pure."""

from __future__ import annotations

from components.clients.ironic_diagnosis import RUNBOOK
from components.clients.ironic_model import Inventory
from components.errors import Problem

REMEDY = f"compare both with the tray's label; correct racks.yaml or move the tray, then run again. {RUNBOOK}"


def identity_problems(tray: str, serial: str, macs: frozenset[str], found: Inventory) -> list[Problem]:
    """What of the description the machine's inventory contradicts, each with both values."""
    problems: list[Problem] = []
    if found.serial != serial:
        problems.append(
            Problem(
                path=tray,
                message="the serial number is not the described one: another machine is in this place",
                found=found.serial or "none",
                allowed=serial,
                remedy=REMEDY,
                rule="serial-differs",
            )
        )
    if missing := sorted(macs - found.macs):
        problems.append(
            Problem(
                path=tray,
                message=f"no network card has {', '.join(missing)}",
                found=", ".join(sorted(found.macs)) or "no network cards",
                allowed=", ".join(sorted(macs)),
                remedy=REMEDY,
                rule="mac-differs",
            )
        )
    return problems
