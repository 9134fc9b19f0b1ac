"""What a machine's firmware remembers while the power is off: boot override and media.

The BMC writes it, the machine reads it at each boot and uses up an override that counts once.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from lab.home import write_atomically


class Device(StrEnum):
    """What a machine can be told to boot from. There is no network boot: `Pxe` falls through to the disk."""

    CD = "Cd"
    HDD = "Hdd"
    PXE = "Pxe"


class Override(StrEnum):
    """For how long an override of the boot device counts, in Redfish's words."""

    DISABLED = "Disabled"
    ONCE = "Once"
    CONTINUOUS = "Continuous"


@dataclass(frozen=True, kw_only=True)
class State:
    """Settings of the firmware."""

    target: Device = Device.HDD
    enabled: Override = Override.DISABLED
    boot_mode: str = "Legacy"
    medium: str | None = None
    """File name of the inserted CD in the machine's directory."""

    def with_target(self, target: Device, enabled: Override) -> State:
        """The boot device that was asked for."""
        return replace(self, target=target, enabled=enabled)

    def with_medium(self, medium: str | None) -> State:
        """What is in the drive now."""
        return replace(self, medium=medium)

    def boot(self) -> tuple[Device, State]:
        """What the next boot starts from, and the settings after it. An empty drive falls through to the disk."""
        wanted = Device.HDD if self.enabled is Override.DISABLED else self.target
        device = Device.CD if wanted is Device.CD and self.medium else Device.HDD
        used_up = self.enabled is Override.ONCE
        after = replace(self, target=Device.HDD, enabled=Override.DISABLED) if used_up else self
        return device, after


def load(directory: Path) -> State:
    """The settings of the machine that lives in `directory`; those of a new machine if it has none."""
    try:
        raw = json.loads((directory / "state.json").read_text())
    except FileNotFoundError:
        return State()
    return State(
        target=Device(raw["target"]),
        enabled=Override(raw["enabled"]),
        boot_mode=raw["boot_mode"],
        medium=raw["medium"],
    )


def update(directory: Path, change: Callable[[State], State]) -> State:
    """Change the settings; BMC and machine may do so at the same moment."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "state.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        after = change(load(directory))
        write_atomically(directory / "state.json", json.dumps(asdict(after), indent=1) + "\n")
        return after


def take_boot(directory: Path) -> tuple[Device, State]:
    """What to boot now, with an override that counts once used up."""
    chosen: list[Device] = []

    def use(state: State) -> State:
        device, after = state.boot()
        chosen.append(device)
        return after

    after = update(directory, use)
    return chosen[0], after
