"""The Redfish application: sushy-tools' emulator with our systems, and what its answers lack.

The emulator has no plug-in point for systems: it picks one of its own classes, so ours takes the place of
that choice. It knows neither serial numbers nor how long a boot override counts: both are added to its
answers here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import flask
from sushy_tools.emulator import main as emulator

from lab.bmc.driver import RESETS, Systems, current_machine, requested_boot, requested_override
from lab.context import Lab
from lab.hosts import state
from lab.hosts.state import Override
from lab.services import pki

_SYSTEM = "system_resource"
"""The emulator's name for the view of one system."""
_EJECT = "VirtualMedia.virtual_media_eject"


def application(lab: Lab) -> flask.Flask:
    """The application that serves all BMCs; each request says which one it came to."""
    directory = lab.home.path / "bmc"
    # Downloads of media lie beside the machines, so that inserting one is a hard link. What is left of
    # an earlier process is nobody's: a machine's drive has its own link.
    scratch = directory / "media"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    tempfile.tempdir = os.fspath(scratch)
    systems = Systems(lab)
    emulator.Application.systems = systems  # pyright: ignore[reportAttributeAccessIssue]
    app: flask.Flask = emulator.app
    app.config.update(
        # Virtual media, power, boot and NICs: nothing is shown that is not simulated.
        SUSHY_EMULATOR_FEATURE_SET="vmedia",
        SUSHY_EMULATOR_STATE_DIR=os.fspath(directory),
        SUSHY_EMULATOR_VMEDIA_VERIFY_SSL=os.fspath(pki.authority(lab.home)),
        SUSHY_EMULATOR_VMEDIA_DEVICES={"Cd": {"Name": "Virtual CD", "MediaTypes": ["CD", "DVD"]}},
    )
    app.before_request(partial(_drop_override, systems))
    app.after_request(partial(_complete_system, systems))
    app.after_request(partial(_sweep_downloads, scratch))
    return app


def _sweep_downloads(scratch: Path, response: flask.Response) -> flask.Response:
    """The emulator leaves the directory of each download behind when it ejects the medium."""
    if flask.request.endpoint == _EJECT:
        for directory in scratch.iterdir():
            with contextlib.suppress(OSError):
                directory.rmdir()  # only an empty one
    return response


def _drop_override(systems: Systems) -> tuple[str, int] | None:
    """Disabling the override names no target, which the emulator refuses."""
    request = flask.request
    if request.endpoint != _SYSTEM or request.method != "PATCH":
        return None
    if "BootSourceOverrideTarget" in requested_boot() or requested_override() is not Override.DISABLED:
        return None
    state.update(systems.directory(_identity()), lambda old: old.with_target(old.target, Override.DISABLED))
    return "", 204


def _complete_system(systems: Systems, response: flask.Response) -> flask.Response:
    if flask.request.endpoint == _SYSTEM and flask.request.method == "GET" and response.status_code == 200:
        settings = systems.firmware(_identity())
        response.set_data(json.dumps(completed(json.loads(response.get_data()), settings)))
    return response


def _identity() -> str:
    return str((flask.request.view_args or {}).get("identity"))


def completed(system: dict[str, Any], settings: state.State) -> dict[str, Any]:
    """A system as the emulator describes it, with what it does not know."""
    machine = current_machine()
    disabled = settings.enabled is Override.DISABLED
    boot = {
        **system.get("Boot", {}),
        "BootSourceOverrideEnabled": str(settings.enabled),
        "BootSourceOverrideTarget": "None" if disabled else str(settings.target),
    }
    reset = {
        "target": f"{system['@odata.id']}/Actions/ComputerSystem.Reset",
        "ResetType@Redfish.AllowableValues": RESETS,
    }
    return {
        **system,
        "Actions": {"#ComputerSystem.Reset": reset},
        "SerialNumber": machine.serial,
        "Manufacturer": "gpuregion lab",
        "Model": "simulated machine",
        "SystemType": "Physical",
        "Status": {"State": "Enabled", "Health": "OK"},
        "MemorySummary": {"TotalSystemMemoryGiB": machine.memory_mib / 1024},
        "ProcessorSummary": {"Count": os.cpu_count() or 1},
        "Boot": boot,
    }
