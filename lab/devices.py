"""Switches and machines by one name: power, entering, state."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lab import links, network
from lab.context import Lab
from lab.errors import LabError
from lab.home import RUN
from lab.hosts import power as machines
from lab.switches import power as switches
from lab.wiring import Machine, Switch

_NSPAWN = Path("/run/systemd/nspawn")


def is_on(lab: Lab, device: Switch | Machine) -> bool:
    """Whether a device has power."""
    return switches.is_on(device) if isinstance(device, Switch) else machines.is_on(lab, device)


def turn_on(lab: Lab, device: Switch | Machine) -> bool:
    """Give a device power; whether it had none. A switch is waited for: it answers on SSH afterwards."""
    with _held(device):
        if isinstance(device, Machine):
            return machines.turn_on(lab, device)
        started = switches.turn_on(lab, device)
    switches.wait_ready(lab, device)
    return started


def told_at_start(lab: Lab, device: Switch | Machine) -> str:
    """What whoever gave the power should know besides; LabError if the power went away again."""
    if isinstance(device, Switch):
        return ""  # it was waited for
    reason = machines.why_it_does_not_boot(lab, device)
    return f", but does not boot: {reason}" if reason else ""


def turn_off(lab: Lab, device: Switch | Machine, *, cut: bool = False) -> bool:
    """Take a device's power, in order or (`cut`) as if its plug were pulled; whether it had any."""
    with _held(device):
        if isinstance(device, Machine):
            return machines.turn_off(lab, device, cut=cut)
        return switches.turn_off(lab, device, cut=cut)


def enter(lab: Lab, device: Switch | Machine) -> list[str]:
    """Words that run a command inside a device, past its network and its keys."""
    init = switches.init_pid(device) if isinstance(device, Switch) else machines.init_pid(lab, device)
    return ["nsenter", "-t", str(init), "-m", "-u", "-i", "-n", "-p", "-C", "--"]


def ports(device: Switch | Machine) -> dict[str, bool]:
    """Network ports of a device that are there, and whether each has carrier. Pods' and bridges' are not ports."""
    name = device.name
    space = name if links.namespace_exists(name) else network.chassis(name)
    if not links.namespace_exists(space):
        return {}
    found = links.interfaces(space)
    names = ["eth0", *device.ports] if isinstance(device, Switch) else [nic.name for nic in device.nics]
    return {port: "LOWER_UP" in found[port]["flags"] for port in names if port in found}


def sweep_nspawn(lab: Lab) -> None:
    """Remove what systemd-nspawn leaves in /run for machines whose plug was pulled."""
    for device in lab.wiring.device_names:
        shutil.rmtree(_NSPAWN / "propagate" / device, ignore_errors=True)
    for lock in _NSPAWN.glob("locks/*"):
        with contextlib.suppress(OSError), lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody's any more
            lock.unlink()
    for directory in (_NSPAWN / "locks", _NSPAWN / "propagate", _NSPAWN):
        with contextlib.suppress(OSError):
            directory.rmdir()  # only if it is empty


@contextmanager
def _held(device: Switch | Machine) -> Generator[None]:
    """Only one hand at a time on a device's power."""
    if not RUN.exists():
        raise LabError("the lab is not up", remedy="python -m lab up")
    with (RUN / f"{device.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
