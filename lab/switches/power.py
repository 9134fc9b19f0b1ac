"""Power of a switch: on, orderly off, plug pulled.

A switch is a systemd-nspawn machine over the shared root tree. What it writes lies in its own
directory and survives every power cycle. Its network name space stays while it is off, so what a dead
kernel would forget is taken out of it: addresses, routes, and the light on its ports.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import time
from pathlib import Path

from lab import faults, links, mounts, processes, roots, shell
from lab.context import Lab
from lab.errors import LabError
from lab.services import secrets
from lab.switches import root as factory
from lab.wiring import Switch

_PLUG = Path(__file__).with_name("plug.sh")

_STARTUP = """\
frr defaults datacenter
hostname {name}
service integrated-vtysh-config
!
end
"""


def unit(switch: Switch) -> str:
    """Name of the switch's process and control groups."""
    return f"switch-{switch.name}"


def is_on(switch: Switch) -> bool:
    """Whether the switch has power; its operating system may still be booting."""
    return processes.pid_of(unit(switch)) is not None


def turn_on(lab: Lab, switch: Switch) -> bool:
    """Give the switch power; whether it had none."""
    if is_on(switch):
        return False
    if switch.name not in {s.name for s in lab.wiring.switches} or not links.namespace_exists(switch.name):
        raise LabError(f"{switch.name} is not cabled", remedy="python -m lab up makes the cables")
    processes.forget(unit(switch))
    tree = _assemble(lab, switch)
    address = f"{switch.oob_address}/{lab.wiring.oob.network.prefixlen}"
    plug = (_PLUG, switch.name, tree, address, faults.PULLED, *switch.ports)
    return processes.start(unit(switch), plug, log=_console(lab, switch), every_hierarchy=True)


def turn_off(lab: Lab, switch: Switch, *, cut: bool = False) -> bool:
    """Take the power away: in order, or (`cut`) as if the plug were pulled; whether there was any."""
    was_on = is_on(switch)
    if cut:
        _darken(switch)
    for nspawn in processes.children(processes.pid_of(unit(switch)) or 0):
        # SIGKILL for nspawn would leave its payload running: the payload's init is what must die.
        victims, number = (processes.children(nspawn), signal.SIGKILL) if cut else ([nspawn], signal.SIGTERM)
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    processes.wait(unit(switch), 15)
    processes.forget(unit(switch))
    _darken(switch)
    mounts.unmount(_tree(lab, switch))
    return was_on


def init_pid(switch: Switch) -> int:
    """First process of the running switch, through which one enters it."""
    for nspawn in processes.children(processes.pid_of(unit(switch)) or 0):
        for init in processes.children(nspawn):
            return init
    raise LabError(f"{switch.name} is not running", remedy=f"python -m lab power on {switch.name}")


def wait_ready(lab: Lab, switch: Switch, timeout_s: float = 30) -> None:
    """Wait until the switch answers on SSH."""
    console = _console(lab, switch)
    end = time.monotonic() + timeout_s
    while True:
        if _greets(switch):
            return
        shell.refuse_if_stopping()
        if not is_on(switch):
            raise LabError(
                f"{switch.name} lost its power while it started",
                found=processes.tail(console),
                remedy=f"read {console}, mend the cause, then: python -m lab power on {switch.name}",
            )
        if time.monotonic() > end:
            raise LabError(
                f"{switch.name} does not answer on SSH",
                found=f"nothing from {switch.oob_address} port 22 within {timeout_s:.0f} s",
                remedy=f"look into the switch: python -m lab exec {switch.name} journalctl -b",
            )
        time.sleep(0.1)


def _console(lab: Lab, switch: Switch) -> Path:
    return lab.home.switches / switch.name / "console.log"


def _greets(switch: Switch) -> bool:
    """Whether a server of SSH says its name on the switch's management address."""
    try:
        with socket.create_connection((str(switch.oob_address), 22), timeout=1) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _directory(lab: Lab, switch: Switch) -> Path:
    """What the switch wrote. A layer fits only the tree it was written over: another tree means a new switch."""
    return lab.home.switches / switch.name / factory.SPEC.digest


def _tree(lab: Lab, switch: Switch) -> Path:
    return _directory(lab, switch) / "root"


def _assemble(lab: Lab, switch: Switch) -> Path:
    directory = _directory(lab, switch)
    lower = roots.build(factory.SPEC, lab.home.logs / "switch-root.log")
    for other in directory.parent.glob("*/upper"):
        if other.parent != directory:
            shutil.rmtree(other.parent)
    tree = _tree(lab, switch)
    mounts.overlay(lower, directory / "upper", directory / "work", tree)
    _personalise(lab, switch, tree)
    return tree


def _personalise(lab: Lab, switch: Switch, tree: Path) -> None:
    """What the factory prints on each switch: name, host key, the key that opens it. Never its configuration."""
    (tree / "etc/hostname").write_text(f"{switch.name}\n")
    (tree / "etc/hosts").write_text(f"127.0.0.1 localhost\n{switch.oob_address} {switch.name}\n")
    (tree / "etc/resolv.conf").write_text(f"nameserver {lab.wiring.services.address}\nsearch {lab.wiring.domain}\n")
    (tree / "var/lib/dbus/machine-id").unlink(missing_ok=True)  # the one that all switches would share
    (tree / "etc/machine-id").write_text(hashlib.sha256(switch.name.encode()).hexdigest()[:32] + "\n")
    private = secrets.switch_host_key(lab.home, switch.name)
    for source in (private, private.with_suffix(".pub")):
        shutil.copyfile(source, tree / "etc/ssh" / f"ssh_host_ed25519_key{source.suffix}")
    (tree / "etc/ssh/ssh_host_ed25519_key").chmod(0o600)
    shutil.copyfile(lab.home.secrets / "ssh_key.pub", tree / "root/.ssh/authorized_keys")
    startup = tree / "etc/frr/frr.conf"
    if not startup.exists():
        startup.write_text(_STARTUP.format(name=switch.name))
        owner = (tree / "etc/frr/daemons").stat()
        os.chown(startup, owner.st_uid, owner.st_gid)
        startup.chmod(0o640)


def _darken(switch: Switch) -> None:
    """No power, no light: every neighbour sees its cable go dead at the same moment."""
    present = links.interfaces(switch.name)
    links.batch((f"link set {port} down" for port in ("eth0", *switch.ports) if port in present), switch.name)
