"""One physical action, as a preview shows it and a provider performs it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

Inputs = Mapping[str, Any]
"""Inputs of a resource, as `components.plan.resources` makes them and the state records them."""


class ActionKind(StrEnum):
    """What is done to a device: the words of previews, of the provider and of the journal."""

    ENROL = "enrol"
    """Make it known to the bare-metal service, or correct what is known: touches no device."""
    INSPECT = "inspect"
    """Boot the agent and compare serial number and MACs."""
    CLEAN = "clean"
    """Wipe the disks."""
    DEPLOY = "deploy"
    """Write the image and start the host."""
    UNDEPLOY = "undeploy"
    """Stop the host for good."""
    POWER_OFF = "power-off"
    """Switch off a spare that was found on. Only a run finds it so; no change of inputs means it."""
    REMOVE = "remove"
    """Forget the device."""
    CONFIGURE = "configure"
    """Apply a switch's configuration."""
    CONFIRM = "confirm"
    """Keep what was applied; a step of a run."""
    ROLL_BACK = "roll-back"
    """Take back what was applied; a step of a run."""
    RUN_PLAYBOOK = "run-playbook"
    ROTATE_PASSWORD = "rotate-password"  # noqa: S105  # the name of an action
    """Set a password of this region on a BMC. Of a bring-up, as all up to `power-on`."""
    FLASH = "flash"
    """Push the locked bundle and wait for its task."""
    RESET_BMC = "bmc-reset"
    RESET_HOST = "host-reset"
    CYCLE_AUX = "aux-cycle"
    """Take all power from a tray for a moment, its BMC's too."""
    SET_BIOS = "set-bios"
    SET_SECURE_BOOT = "set-secure-boot"
    SET_BOOT_ORDER = "set-boot-order"
    SET_MODE = "set-mode"
    """Make a DPU a computer of its own, or a plain network card."""
    POWER_ON = "power-on"
    NOTHING = "nothing"
    """Inputs differ and no device does: only the record follows. Never in the journal."""


DURATIONS_S: Mapping[ActionKind, int] = MappingProxyType(
    {
        ActionKind.ENROL: 5,
        ActionKind.INSPECT: 20,
        ActionKind.CLEAN: 25,
        ActionKind.DEPLOY: 35,
        ActionKind.UNDEPLOY: 10,
        ActionKind.POWER_OFF: 2,
        ActionKind.REMOVE: 2,
        ActionKind.CONFIGURE: 4,
        ActionKind.CONFIRM: 1,
        ActionKind.ROLL_BACK: 2,
        ActionKind.RUN_PLAYBOOK: 60,
        ActionKind.ROTATE_PASSWORD: 1,
        ActionKind.FLASH: 610,
        ActionKind.RESET_BMC: 90,
        ActionKind.RESET_HOST: 13,
        ActionKind.CYCLE_AUX: 150,
        ActionKind.SET_BIOS: 1,
        ActionKind.SET_SECURE_BOOT: 1,
        ActionKind.SET_BOOT_ORDER: 1,
        ActionKind.SET_MODE: 1,
        ActionKind.POWER_ON: 5,
        ActionKind.NOTHING: 0,
    }
)
"""Seconds each action took on the bench; those of a bring-up on the simulated fleet. Hardware adds minutes of
self-test to each power cycle."""


@dataclass(frozen=True, kw_only=True)
class PhysicalAction:
    """One action on one device."""

    target: str
    """Natural key: host, switch or playbook."""
    kind: ActionKind
    reason: str
    """What makes it necessary, in words, with both values."""
    destructive: bool = False
    """Whether data or a running host is lost by it."""
    disrupts: tuple[str, ...] = ()
    """What loses service for a moment, e.g. `lab-leaf1:swp1`, a BGP session."""
    details: tuple[str, ...] = ()
    """What differs, one item each: lines of a configuration, names of roles."""

    @property
    def duration_s(self) -> int:
        """Estimate."""
        return DURATIONS_S[self.kind]

    def __str__(self) -> str:
        mark = " (destructive)" if self.destructive else ""
        return f"{self.kind} {self.target}{mark}: {self.reason}"


def elapsed_s(actions: Iterable[PhysicalAction]) -> int:
    """Estimate for all: devices are worked on side by side, each one's actions in turn."""
    of_target: dict[str, int] = defaultdict(int)
    for action in actions:
        of_target[action.target] += action.duration_s
    return max(of_target.values(), default=0)


def changed(what: str, old: object, new: object) -> str:
    """`image changes from a to b`."""
    return f"{what} changes from {old} to {new}"


def part(inputs: Inputs | None, *keys: str) -> Inputs:
    """What stands under these keys; nothing if there are no inputs, or an older version lacked it."""
    here: Any = inputs or {}
    for key in keys:
        here = here.get(key, {})
    return here
