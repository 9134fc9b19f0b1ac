"""What stops a tray that no retry would help, in words. Pure."""

from __future__ import annotations

from components.clients.ironic_diagnosis import RUNBOOK
from components.clients.ironic_model import Inventory, Node
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


def maintenance_problem(node: Node) -> Problem:
    """Somebody keeps the tray for himself."""
    return Problem(
        path=node.name,
        message="somebody put this tray in maintenance; it is left alone",
        found=node.maintenance_reason or "no reason given",
        remedy="end the maintenance in Ironic, or leave the tray out of racks.yaml; then run again",
        rule="maintenance",
    )


def stuck_problem(tray: str, node: Node | None) -> Problem:
    """A provision state that nothing here makes."""
    return Problem(
        path=tray,
        message="somebody else is at work on this tray",
        found=f"Ironic's state is `{node.provision_state if node else 'absent'}`",
        allowed="a state on the way from `enroll` to `active`",
        remedy=f"bring it to `manageable`, `available` or `active` in Ironic, then run again. {RUNBOOK}",
        rule="tray-stuck",
    )


def circles_problem(tray: str, node: Node | None) -> Problem:
    """Every step succeeds and the goal comes no nearer."""
    return Problem(
        path=tray,
        message="every step succeeds and the tray does not get there",
        found=f"Ironic's state is `{node.provision_state if node else 'absent'}`",
        remedy=f"see in `region status` what was done to it, and who else works on it. {RUNBOOK}",
        rule="tray-in-circles",
    )
