"""Power of a switch: on, orderly off, plug pulled.

A switch is a systemd-nspawn machine over the shared root tree. What it writes lies in its own
directory and survives every power cycle. Its network name space stays while it is off, so what a dead
kernel would forget is taken out of it: addresses, routes, and the light on its ports.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import time
from pathlib import Path

from lab import faults, links, mounts, processes, roots
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
    _ports_up(lab, switch)
    log = lab.home.switches / switch.name / "console.log"
    return processes.start(unit(switch), [_PLUG, switch.name, tree], log=log, every_hierarchy=True)


def turn_off(lab: Lab, switch: Switch, *, cut: bool = False) -> bool:
    """Take the power away: in order, or (`cut`) as if the plug were pulled; whether there was any."""
    was_on = is_on(switch)
    if cut:
        _ports_down(lab, switch)
    for nspawn in processes.children(processes.pid_of(unit(switch)) or 0):
        # SIGKILL for nspawn would leave its payload running: the payload's init is what must die.
        victims, number = (processes.children(nspawn), signal.SIGKILL) if cut else ([nspawn], signal.SIGTERM)
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    processes.wait(unit(switch), 15)
    processes.forget(unit(switch))
    if not cut:
        _ports_down(lab, switch)
    mounts.unmount(_tree(lab, switch))
    return was_on


def init_pid(switch: Switch) -> int:
    """First process of the running switch, through which one enters it."""
    for nspawn in processes.children(processes.pid_of(unit(switch)) or 0):
        for init in processes.children(nspawn):
            return init
    raise LabError(f"{switch.name} is not running", remedy=f"python -m lab power on {switch.name}")


def wait_ready(switch: Switch, timeout_s: float = 30) -> None:
    """Wait until the switch answers on SSH."""
    end = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError):
            with socket.create_connection((str(switch.oob_address), 22), timeout=1) as connection:
                connection.settimeout(2)
                if connection.recv(4) == b"SSH-":
                    return
        if time.monotonic() > end:
            raise LabError(
                f"{switch.name} does not answer on SSH",
                found=f"nothing from {switch.oob_address} port 22 within {timeout_s:.0f} s",
                remedy=f"look into the switch: python -m lab exec {switch.name} journalctl -b",
            )
        time.sleep(0.1)


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


def _ports_up(lab: Lab, switch: Switch) -> None:
    prefix = lab.wiring.oob.network.prefixlen
    present = links.interfaces(switch.name)
    ports = [p for p in switch.ports if p in present and not faults.is_pulled(switch.name, p)]
    lines = [f"link set {port} up" for port in ("eth0", *ports)]
    links.batch([*lines, f"addr replace {switch.oob_address}/{prefix} dev eth0"], switch.name)


def _ports_down(lab: Lab, switch: Switch) -> None:
    """No power: no light on any cable, and nothing left of what the kernel knew."""
    present = links.interfaces(switch.name)
    ports = [port for port in ("eth0", *switch.ports) if port in present]
    lines = [f"link set {port} down" for port in ports]
    lines += [f"addr flush dev {port}" for port in ports]
    lines += ["addr flush dev lo", "link set lo down", "link set lo up"]
    lines += ["route flush table main", "-6 route flush table main", "neigh flush nud permanent", "nexthop flush"]
    links.batch(lines, switch.name, tolerant=True)
    faults.heal(lab, switch.name)
