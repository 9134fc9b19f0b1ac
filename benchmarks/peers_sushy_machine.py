"""One endpoint in the hand of benchmarks.peers_sushy: each step of the catalogue by sushy.

Owns the requests. What sushy has no wrapper for (accounts, a multipart push, a tray's auxiliary power, boot order, a
DPU's mode) goes through sushy's connector, with its retries.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sushy
from sushy import auth, exceptions
from sushy.resources.taskservice import task

from components.plan.bring_up.compile import Plan
from components.plan.bring_up.settings import patch_for, read_settings
from components.plan.bring_up.work import EndpointWork
from components.spec.catalogue.bring_up import Reset, StepName
from components.spec.catalogue.firmware import Endpoint

POLL_S = 5.0
"""Between two looks at a machine that is busy, of its time."""
RETRY_S = 3.0
"""sushy's own pause before it tries again (it does so 10 times), of the machine's time."""
ALLOWANCE_S = 20.0
"""Added to each limit, for answers."""
ROOT = "/redfish/v1"


class StepFailedError(Exception):
    """An endpoint does not get through a step."""


@dataclass
class Script:
    """What the script knows while it runs."""

    plan: Plan
    packages: Mapping[Endpoint, bytes]
    factory: Mapping[str, str]
    ca: str
    compression: float
    minted: dict[str, str] = field(default_factory=dict[str, str])
    changed: set[str] = field(default_factory=set[str])
    """Endpoints whose password was changed."""

    def mint(self, path: Path) -> None:
        """New passwords, on disk before any is set."""
        names = [endpoint.name for rack in self.plan.racks for endpoint in rack.endpoints]
        self.minted = {name: secrets.token_urlsafe(15) for name in names}
        path.touch(0o600)
        path.write_text(json.dumps(self.minted))


class Machine:
    """One endpoint in hand."""

    def __init__(self, script: Script, work: EndpointWork) -> None:
        self._script = script
        self._work = work
        self.profile = script.plan.bring_up.kind(work.kind)
        self._root: Any = None
        self._versions = dict(script.plan.baseline.versions(work.kind))
        self.steps: Mapping[StepName, Callable[[float], None]] = {
            StepName.CREDENTIALS: self._credentials,
            StepName.MATCH: self._match,
            StepName.FLASH: self._flash,
            StepName.ACTIVATE: self._activate,
            StepName.VERIFY: self._verify,
            StepName.CONFIGURE: self._configure,
            StepName.BOOT: self._boot,
            StepName.POWER_OFF: self._power_off,
        }

    def limit_s(self, seconds: float) -> float:
        """A limit of the catalogue by our clock."""
        return seconds / self._script.compression + ALLOWANCE_S

    def _login(self, password: str) -> None:
        self._root = sushy.Sushy(
            self._work.address,
            auth=auth.BasicAuth(username=self._work.username, password=password),  # pyright: ignore[reportArgumentType]
            verify=self._script.ca,  # pyright: ignore[reportArgumentType]  # documented as a path too
            server_side_retries_delay=RETRY_S / self._script.compression,  # pyright: ignore[reportArgumentType]
        )

    def _get(self, path: str) -> Any:
        return self._root._conn.get(path if path.startswith("/") else f"{ROOT}/{path}").json()

    def _post(self, path: str, body: Mapping[str, object]) -> None:
        self._root._conn.post(f"{ROOT}/{path}", data=body)

    def _system(self) -> Any:
        return self._root.get_system(f"{ROOT}/{self.profile.system}")

    def _until(self, is_reached: Callable[[], bool], limit_s: float, what: str) -> None:
        """Look until it is so. What is restarting does not answer for a while."""
        end = time.monotonic() + limit_s
        while True:
            try:
                if is_reached():
                    return
            except (exceptions.ConnectionError, exceptions.ServerSideError):
                pass
            if time.monotonic() > end:
                raise StepFailedError(what)
            time.sleep(POLL_S / self._script.compression)

    def _credentials(self, _: float) -> None:
        name, account = self._work.name, f"{ROOT}/AccountService/Accounts/{self._work.username}"
        factory, minted = self._script.factory[name], self._script.minted[name]
        for password in (minted, factory) if name in self._script.changed else (factory, minted):
            self._login(password)
            try:
                self._root._conn.get(account)
            except exceptions.AccessError:
                continue
            if password == factory:
                self._root._conn.patch(account, data={"Password": minted})
                self._script.changed.add(name)
                self._login(minted)
            return
        raise StepFailedError("neither password opens it")

    def _match(self, _: float) -> None:
        serial = self._system().serial_number or ""
        if serial.upper() != self._work.serial.upper():
            raise StepFailedError(f"shows serial {serial}, delivered was {self._work.serial}")

    def _runs(self, wanted: Mapping[str, str]) -> bool:
        members = self._get("UpdateService/FirmwareInventory?$expand=.")["Members"]
        found = {member["Id"]: member.get("Version") for member in members}
        return all(found.get(component) == version for component, version in wanted.items())

    def _flash(self, limit_s: float) -> None:
        if self._runs(self._versions):
            return
        files = {
            "UpdateParameters": (None, "{}", "application/json"),
            "UpdateFile": ("bundle.fwpkg", self._script.packages[self._work.kind], "application/octet-stream"),
        }
        conn = self._root._conn
        path = conn.post(f"{ROOT}/UpdateService/update-multipart", files=files).json()["@odata.id"]
        update: Any = task.Task(conn, path)
        states = sushy.TaskState
        busy = {states.NEW, states.PENDING, states.STARTING, states.RUNNING}

        def is_over() -> bool:
            update.refresh(force=True)
            return update.task_state not in busy

        self._until(is_over, limit_s, "the update does not end")
        if update.task_state != states.COMPLETED:
            raise StepFailedError(f"the update ended as {update.task_state}")

    def _activate(self, limit_s: float) -> None:
        for activation in self.profile.activations:
            wanted = {c: self._versions[c] for c in activation.components if c in self._versions}
            if self._runs(wanted):
                continue
            match activation.by:
                case Reset.BMC:
                    self._root.get_manager(f"{ROOT}/{self.profile.manager}").reset_manager(
                        sushy.ResetType.FORCE_RESTART
                    )
                case Reset.HOST:
                    self._system().reset_system(sushy.ResetType.FORCE_RESTART)
                case Reset.AUX:
                    self._post(self.profile.aux_cycle or "", {"ResetType": "AuxPowerCycle"})
            self._until(lambda wanted=wanted: self._runs(wanted), limit_s, "what was pushed does not run")

    def _verify(self, _: float) -> None:
        if not self._runs(self._versions):
            raise StepFailedError("other versions run than the bundle's")

    def _configure(self, _: float) -> None:
        profile = self.profile
        if profile.mode and self._get(profile.mode).get("Mode") != profile.wanted_mode:
            self._post(f"{profile.mode}/Actions/Mode.Set", {"Mode": profile.wanted_mode})
        if not profile.bios:
            return
        system = self._system()
        path = f"{ROOT}/{profile.system}"
        seen = read_settings(
            bios={"Attributes": system.bios.attributes},
            bios_pending={"Attributes": system.bios.pending_attributes},
            secure_boot=self._get(f"{path}/SecureBoot"),
            system=self._get(path),
            system_pending=self._get(f"{path}/Settings"),
            options=self._get(f"{path}/BootOptions?$expand=.")["Members"],
        )
        patch = patch_for(profile, seen)
        if patch.secure_boot is not None:
            system.secure_boot.set_enabled(patch.secure_boot)
        if patch.order is not None:
            self._root._conn.patch(f"{path}/Settings", data={"Boot": {"BootOrder": list(patch.order)}})
        if patch.bios:
            system.bios.set_attributes(dict(patch.bios), apply_time=sushy.ApplyTime.ON_RESET)

    def _counts(self) -> bool:
        system, wanted = self._system(), self.profile
        attributes = system.bios.attributes
        is_set = all(attributes.get(s.attribute) == s.value for s in wanted.bios)
        is_secure = wanted.secure_boot is None or system.secure_boot.enabled == wanted.secure_boot
        return is_set and is_secure and system.boot.mode == sushy.BootSourceOverrideMode.UEFI

    def _boot(self, limit_s: float) -> None:
        if self._counts():
            return
        system = self._system()
        is_off = system.power_state == sushy.PowerState.OFF
        system.reset_system(sushy.ResetType.ON if is_off else sushy.ResetType.FORCE_RESTART)
        self._until(lambda: self._system().power_state == sushy.PowerState.ON, limit_s, "it does not come up")
        self._until(self._counts, limit_s, "settings do not count after the boot")

    def _power_off(self, limit_s: float) -> None:
        if self._system().power_state != sushy.PowerState.OFF:
            self._system().reset_system(sushy.ResetType.FORCE_OFF)
        self._until(lambda: self._system().power_state == sushy.PowerState.OFF, limit_s, "it does not switch off")
