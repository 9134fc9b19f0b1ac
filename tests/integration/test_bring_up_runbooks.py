"""The runbooks of bring-up on their symptoms: each is made on the simulated fleet, and each command shows it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Generator
from dataclasses import dataclass

import pytest

from components.engine.bring_up.result import RackEnd, Result
from components.plan.bring_up.cause import Cause
from components.spec import Region
from components.spec.catalogue.bring_up import Setting
from components.spec.catalogue.firmware import Endpoint
from stacks.bring_up import bring_up_region
from tests.bring_up_world import Told, World, calm, world
from tests.e2e import runbooks
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

FOLDER = ".region/essonne/simulated/calm"
FAULTS = [
    {"fault": "dead", "endpoints": ["ess-r001/3"]},
    {"fault": "wrong_password", "endpoints": ["ess-r001/4"]},
    {"fault": "wrong_serial", "endpoints": ["ess-r001/5"]},
    {"fault": "leak", "endpoints": ["ess-r001/6"]},
    {"fault": "stuck_task", "endpoints": ["ess-r001/7"], "times": 9},
]


@dataclass
class Made:
    """Two racks: the first with a tray of each symptom, the second with a setting that no tray takes."""

    world: World
    first: Result
    second: Result

    def shown(self, command: str, tray: str) -> str:
        """What a command of a runbook shows, with the paths and the tray of this test."""
        files, port = self.world.files, self.world.port
        rack, slot = tray.split("/")
        number = int(rack[-3:])
        text = command.replace(f"{FOLDER}/journal.db", str(files.journal)).replace(FOLDER, str(self.world.folder))
        text = text.replace("ess-r001/3", tray).replace('["ess-r001"]["3"]', f'["{rack}"]["{slot}"]')
        text = (
            text.replace("127.64.1.3:", f"127.64.{number}.{slot}:").replace("ess-r001", rack).replace("8443", str(port))
        )
        done = subprocess.run(["bash", "-c", text], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout + done.stderr


def with_setting(region: Region, attribute: str) -> Region:
    """The region, wanting a BIOS attribute that its trays do not have."""
    found = region.catalogue.bring_ups[0]
    tray = found.kinds[Endpoint.COMPUTE_TRAY]
    tray = tray.model_copy(update={"bios": (Setting(attribute=attribute, value="Enabled"),)})
    changed = found.model_copy(update={"kinds": {**found.kinds, Endpoint.COMPUTE_TRAY: tray}})
    return region.model_copy(update={"catalogue": region.catalogue.model_copy(update={"bring_ups": (changed,)})})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Generator[Made]:
    with world(tmp_path_factory.mktemp("fleet"), 2, calm(faults=FAULTS)) as there:

        def run(region: Region, rack: str) -> Result:
            return asyncio.run(
                bring_up_region(
                    region,
                    files=there.files,
                    observe=Told(),
                    compression=there.compression,
                    racks=[rack],
                    answer_s=2,
                )
            )

        first = run(there.region, "ess-r001")
        yield Made(there, first, run(with_setting(there.region, "NoSuchThing"), "ess-r002"))


def causes(result: Result) -> dict[str, Cause]:
    return {i.endpoint: i.cause for rack in result.racks for i in rack.isolated}


def test_each_symptom_is_isolated_by_its_cause_and_names_its_runbook(made: Made) -> None:
    found = {name: cause for name, cause in causes(made.first).items() if cause is not Cause.DEPENDS}
    assert found == {
        "ess-r001/3": Cause.SILENT,
        "ess-r001/4": Cause.PASSWORD_REFUSED,
        "ess-r001/5": Cause.SERIAL_MISMATCH,
        "ess-r001/6": Cause.LEAK,
        "ess-r001/7": Cause.FIRMWARE_STUCK,
    }
    assert set(causes(made.second).values()) == {Cause.SETTINGS_REFUSED}
    assert all((ROOT / group.runbook).is_file() for group in (*made.first.by_cause(), *made.second.by_cause()))


def test_the_runbook_on_a_bmc_that_does_not_answer(made: Made) -> None:
    root, certificate, neighbour, was = (
        made.shown(command, "ess-r001/3") for command in runbooks.steps("BmcDoesNotAnswer")
    )
    assert "RootService" not in root
    assert "Simulated fleet CA" in certificate or "Could not read" in certificate or not certificate
    assert "RootService" in neighbour
    assert was.strip() == "", "nothing was ever done to it"


def test_the_runbook_on_a_refused_password(made: Made) -> None:
    root, log, was, serial = (made.shown(command, "ess-r001/4") for command in runbooks.steps("BmcRefusesPassword"))
    assert "RootService" in root
    assert '"ess-r001/4", "is": "refused"' in log
    assert "rotate-password" not in was
    assert serial.startswith("T00001")


def test_the_runbook_on_another_machine_in_the_slot(made: Made) -> None:
    _, itself, place, delivered = (
        made.shown(command, "ess-r001/5") for command in runbooks.steps("WrongMachineInSlot")
    )
    assert '"SerialNumber": "' in itself
    assert delivered.strip() not in itself
    assert '"ComputeTrayIndex": 4' in place


def test_the_runbook_on_a_leak(made: Made) -> None:
    _, wet, below, system = (made.shown(command, "ess-r001/6") for command in runbooks.steps("LeakDetected"))
    assert '"DetectorState": "Critical"' in wet
    assert '"DetectorState": "Critical"' not in below
    assert '"PowerState": "Off"' in system


def test_the_runbook_on_firmware_that_does_not_update(made: Made) -> None:
    _, tasks, inventory, was = (
        made.shown(command, "ess-r001/7") for command in runbooks.steps("FirmwareDoesNotUpdate")
    )
    assert '"PercentComplete": 40' in tasks
    assert "02.04.12-dde0f655" in inventory, "the firmware that it was delivered with"
    assert "flash failed" in was
    assert "bmc-reset done" in was, "the known-good action was tried"


def test_the_runbook_on_settings_that_do_not_apply(made: Made) -> None:
    _, now, pending, system = (made.shown(command, "ess-r002/3") for command in runbooks.steps("SettingsDoNotApply"))
    assert '"TPM": "Disabled"' in now
    assert '"Attributes": {}' in pending
    assert '"PowerState": "Off"' in system


def test_the_runbook_on_an_isolated_rack(made: Made) -> None:
    (rack,) = made.first.racks
    assert (rack.end, rack.handed_over) == (RackEnd.ISOLATED, ())
    assert "13 of 18 trays usable, 16 are needed" in rack.reason
    _, refused, failed, shelf = (made.shown(command, "ess-r001/3") for command in runbooks.steps("RackIsIsolated"))
    assert "ess-r001/4" in refused
    assert "ess-r001/7 flash failed" in failed
    assert "RootService" in shelf
