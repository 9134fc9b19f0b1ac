"""The systems behind the Redfish service: each BMC sees the one machine that it is built into."""

# The base class's methods only raise, so each override seems to return something else.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import flask
from sushy_tools import error
from sushy_tools.emulator.resources.systems.base import AbstractSystemsDriver

from lab import devices
from lab.context import Lab
from lab.hosts import events, power, state
from lab.hosts.state import Device, Override
from lab.wiring import Machine

MACHINE = "lab.machine"
"""Where a request's environment says which BMC it came to."""

_NAMESPACE = uuid.UUID("8a1f3a52-6a0e-4f6e-9d0e-6f1f6c0f7a11")
RESETS = ("On", "ForceOn", "ForceOff", "GracefulShutdown", "ForceRestart", "GracefulRestart")
"""What can be done to a machine's power."""


def system_uuid(machine: Machine) -> str:
    """Identity of a machine's system in Redfish, from its serial."""
    return str(uuid.uuid5(_NAMESPACE, machine.serial))


def current_machine() -> Machine:
    """The machine that the current request's BMC is built into."""
    return flask.request.environ[MACHINE]


class Systems(AbstractSystemsDriver):
    """sushy-tools' view of a machine. Method names and the identity argument are its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @classmethod
    def initialize(cls, config: Any, logger: Any, *args: Any, **kwargs: Any) -> type[Systems]:
        return cls

    @property
    def driver(self) -> str:
        return "<lab>"

    @property
    def systems(self) -> list[str]:
        return [system_uuid(current_machine())]

    def uuid(self, identity: str) -> str:
        self._machine(identity)
        return identity

    def name(self, identity: str) -> str:
        return self._machine(identity).name

    def get_power_state(self, identity: str) -> str:
        return "On" if power.is_on(self.lab, self._machine(identity)) else "Off"

    def set_power_state(self, identity: str, state: str) -> None:
        machine = self._machine(identity)
        if state not in RESETS:
            raise error.NotSupportedError(f"ResetType {state} is not supported, allowed are {', '.join(RESETS)}")
        if state == "GracefulShutdown":
            power.press(self.lab, machine, forced=False)  # whoever asked for it watches how it goes
            return
        if state not in ("On", "ForceOn"):
            devices.turn_off(self.lab, machine, cut=state.startswith("Force"))
        if state != "ForceOff":
            devices.turn_on(self.lab, machine)

    def get_boot_device(self, identity: str) -> str:
        return str(self.firmware(identity).target)

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        try:
            target = Device(boot_source)
        except ValueError:
            raise error.BadRequest(
                f"BootSourceOverrideTarget {boot_source} is not supported, allowed are {', '.join(Device)}"
            ) from None
        asked = requested_override()

        def change(old: state.State) -> state.State:
            kept = Override.ONCE if old.enabled is Override.DISABLED else old.enabled
            return old.with_target(target, asked or kept)

        state.update(self.directory(identity), change)

    def get_boot_mode(self, identity: str) -> str:
        return self.firmware(identity).boot_mode

    def set_boot_mode(self, identity: str, boot_mode: str) -> None:
        if boot_mode != "Legacy":
            raise error.NotSupportedError(f"boot mode {boot_mode} is not supported, allowed is Legacy")

    def get_total_memory(self, identity: str) -> float:
        return self._machine(identity).memory_mib / 1024

    def get_total_cpus(self, identity: str) -> int:
        self._machine(identity)
        return os.cpu_count() or 1

    def get_nics(self, identity: str) -> list[dict[str, str]]:
        return [{"id": nic.name, "mac": nic.mac} for nic in self._machine(identity).nics]

    def set_boot_image(
        self, identity: str, device: str, boot_image: str | None = None, write_protected: bool = True
    ) -> None:
        machine = self._machine(identity)
        directory = self.directory(identity)
        medium = directory / "cd.iso"
        if boot_image:
            draft = directory / ".cd.iso"
            draft.unlink(missing_ok=True)
            draft.hardlink_to(boot_image)  # the emulator deletes its download when the medium is ejected
            draft.replace(medium)
        else:
            medium.unlink(missing_ok=True)
        state.update(directory, lambda old: old.with_medium(medium.name if boot_image else None))
        action = "media_insert" if boot_image else "media_eject"
        events.record(events.path(self.lab.home), machine.name, action)

    def firmware(self, identity: str) -> state.State:
        """Settings of the machine's firmware."""
        return state.load(self.directory(identity))

    def directory(self, identity: str) -> Path:
        """Where the machine keeps its things."""
        directory = power.place(self.lab, self._machine(identity)).directory
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def _machine(self, identity: str) -> Machine:
        machine = current_machine()
        if identity == machine.name:
            raise error.AliasAccessError(system_uuid(machine))
        if identity != system_uuid(machine):
            raise error.NotFound(f"System {identity} was not found")
        return machine


def requested_boot() -> dict[str, Any]:
    """What the current request wants changed of the boot settings."""
    body: Any = flask.request.get_json(silent=True)
    match body:
        case {"Boot": {**boot}}:
            return boot
        case _:
            return {}


def requested_override() -> Override | None:
    """How long the override that the current request asks for is to count, if it says so."""
    asked = requested_boot().get("BootSourceOverrideEnabled")
    if asked is None:
        return None
    try:
        return Override(asked)
    except ValueError:
        raise error.BadRequest(
            f"BootSourceOverrideEnabled {asked} is not supported, allowed are {', '.join(Override)}"
        ) from None
