"""Power that fails says why and what to do next, whichever way it fails."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from lab import __main__ as command
from lab import processes, wiring
from lab.context import Lab
from lab.errors import LabError
from lab.home import Home
from lab.hosts import power as machines
from lab.switches import power as switches
from tests.unit.test_lab_wiring import GOOD


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab without anything that has power."""
    monkeypatch.setattr(processes, "_RECORDS", tmp_path / "records")
    home = Home(path=tmp_path)
    home.make()
    return Lab(home, wiring.parse(GOOD))


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (BrokenPipeError(32, "Broken pipe"), 1, "BrokenPipeError"),
        (PermissionError(1, "Operation not permitted"), 1, "Operation not permitted"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (LabError("no such thing", remedy="none"), 1, "no such thing"),
    ],
)
def test_every_end_of_a_command_is_told_in_words(
    fault: BaseException,
    code: int,
    told: str,
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> bool:
        raise fault

    def not_ours(*_: object) -> None:
        return

    monkeypatch.setattr(Lab, "running", lambda: lab)
    monkeypatch.setattr(command.devices, "turn_on", fail)
    monkeypatch.setattr(command.os, "geteuid", lambda: 0)
    monkeypatch.setattr(command.signal, "signal", not_ours)
    monkeypatch.setattr(sys, "argv", ["lab", "power", "on", lab.wiring.device_names[0]])
    assert command.main() == code
    said = capsys.readouterr().err
    assert told in said
    assert "remedy" in said


def test_a_switch_that_dies_while_it_starts_is_told_at_once_with_its_last_words(lab: Lab) -> None:
    # No switch of a lab that may be up on this machine meanwhile.
    nobody = {"name": "nobody-leaf1", "oob_address": IPv4Address("127.255.255.254")}
    switch = lab.wiring.switches[0].model_copy(update=nobody)
    console = lab.home.switches / switch.name / "console.log"
    console.parent.mkdir(parents=True)
    console.write_text("Failed to mount the root\n")
    with pytest.raises(LabError, match=f"python -m lab power on {switch.name}") as caught:
        switches.wait_ready(lab, switch)
    assert caught.value.found == "Failed to mount the root"


def test_a_machine_whose_supervisor_dies_is_told_with_its_last_words(lab: Lab) -> None:
    machine = lab.wiring.machines[0]
    log = machines.place(lab, machine).log
    log.parent.mkdir(parents=True)
    log.write_text("Traceback\nKeyError: 'name'\n")
    with pytest.raises(LabError, match="lost its power") as caught:
        machines.why_it_does_not_boot(lab, machine)
    assert "KeyError" in (caught.value.found or "")


@pytest.mark.parametrize("reason", ["", "no bootable partition on the disk"])
def test_a_machine_with_power_tells_whether_it_boots(lab: Lab, reason: str) -> None:
    machine = lab.wiring.machines[0]
    told = machines.place(lab, machine).firmware_told
    told.parent.mkdir(parents=True)
    told.write_text(reason)
    assert machines.why_it_does_not_boot(lab, machine) == reason
