"""Power of a machine, for whoever holds its button: the BMC, or a person at the lab's command line.

The machine itself is a process of its own (`supervisor`), so it outlives both.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from lab import mounts, network, processes, shell
from lab.context import Lab
from lab.errors import LabError
from lab.home import PROJECT
from lab.hosts import events, firmware
from lab.hosts.place import Facts, Place
from lab.wiring import Machine

_GRACE_S = 30
_FORCED_S = 15
_FIRMWARE_S = 60
"""A slow disk may have to be grown before it is mounted."""


def place(lab: Lab, machine: Machine) -> Place:
    """Where a machine of this lab lives."""
    return Place(home=lab.home, name=machine.name)


def is_on(lab: Lab, machine: Machine) -> bool:
    """Whether the machine has power, whatever its operating system does."""
    return processes.pid_of(place(lab, machine).unit) is not None


def turn_on(lab: Lab, machine: Machine) -> bool:
    """Give the machine power; whether it had none."""
    if is_on(lab, machine):
        return False
    repair(lab, machine)
    here = place(lab, machine)
    here.make_disk(machine.disk_gib)
    here.firmware_told.unlink(missing_ok=True)
    events.record(events.path(lab.home), machine.name, "power_on")
    return processes.start(
        here.unit,
        # A button pressed while Python starts waits until somebody can act on it.
        ["env", "--block-signal=INT,TERM", sys.executable, "-m", "lab.hosts.supervisor", machine.name],
        log=here.log,
        env={**os.environ, "LAB_HOME": str(lab.home.path)},
        cwd=PROJECT,
    )


def why_it_does_not_boot(lab: Lab, machine: Machine) -> str:
    """Wait for the firmware of a machine that has power; why there is nothing to boot, or "" if it boots."""
    here = place(lab, machine)
    end = time.monotonic() + _FIRMWARE_S
    while not here.firmware_told.exists():
        shell.refuse_if_stopping()
        if not is_on(lab, machine):
            raise LabError(
                f"{machine.name} lost its power as soon as it had it",
                found=processes.tail(here.log),
                remedy=f"read {here.log} and {here.console}, mend the cause, then: python -m lab power on {machine.name}",
            )
        if time.monotonic() > end:
            return f"its firmware is still at work after {_FIRMWARE_S} s, see {here.console}"
        time.sleep(0.05)
    return here.firmware_told.read_text()


def press(lab: Lab, machine: Machine, *, forced: bool) -> bool:
    """Press the power button, or pull the plug, and do not wait; whether there was power."""
    pid = processes.pid_of(place(lab, machine).unit)
    if pid is None:
        return False
    os.kill(pid, signal.SIGINT if forced else signal.SIGTERM)
    return True


def turn_off(lab: Lab, machine: Machine, *, cut: bool = False) -> bool:
    """Take the power away, in order or (`cut`) at once, and wait for it; whether there was any."""
    unit = place(lab, machine).unit
    was_on = press(lab, machine, forced=cut)
    if was_on and not processes.wait(unit, _FORCED_S if cut else _GRACE_S):
        press(lab, machine, forced=True)
        processes.wait(unit, _FORCED_S)
    repair(lab, machine)
    return was_on


def repair(lab: Lab, machine: Machine) -> None:
    """Take away what is left of a machine without power, however its power ended, and plug it in.

    After an orderly end there is nothing to do; after a killed supervisor there are processes, mounts,
    loop devices and ports to take back.
    """
    here = place(lab, machine)
    here.directory.mkdir(parents=True, exist_ok=True)
    macs = {nic.name: nic.mac for nic in machine.nics}
    facts = Facts(
        name=machine.name,
        serial=machine.serial,
        bmc_address=str(machine.bmc_address),
        disk_gib=machine.disk_gib,
        memory_mib=machine.memory_mib,
        gpus=machine.gpus,
        macs=macs,
    )
    here.write_facts(facts)
    mounts.share(lab.home.path)
    processes.forget(here.unit)
    firmware.Boot(here).detach()
    network.ensure_machine(lab.wiring, machine)


def init_pid(lab: Lab, machine: Machine) -> int:
    """First process of the running operating system, through which one enters it."""
    for nspawn in processes.children(processes.pid_of(place(lab, machine).unit) or 0):
        for init in processes.children(nspawn):
            return init
    raise LabError(f"{machine.name} runs no operating system", remedy=f"python -m lab.hosts on {machine.name}")


def execute(lab: Lab, machine: Machine, *argv: str) -> str:
    """Output of a program run inside the machine, past its network and its keys."""
    return shell.run("nsenter", "-t", str(init_pid(lab, machine)), "-m", "-u", "-i", "-n", "-p", "-C", "--", *argv)
