"""A host in seconds without Ironic, for whoever develops roles: image and config drive straight onto the disk.

The result is what Ironic's deployment leaves: the image from the first sector on, the config drive as a
partition at the disk's end.
"""

from __future__ import annotations

import uuid
from ipaddress import IPv4Interface
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab import shell
from lab.context import Lab
from lab.errors import LabError
from lab.home import write_atomically
from lab.hosts import config_drive, events, power, state
from lab.hosts.state import Device, Override
from lab.images import deploy_image, store
from lab.services import pki
from lab.wiring import Machine

_CONFIG_MIB = 64
_MIB_SECTORS = 2048


def seed(lab: Lab, machine: Machine, report: store.Report = store.silent) -> None:
    """Write image and config drive onto a machine's disk. Everything on the disk is lost."""
    if power.is_on(lab, machine):
        raise LabError(f"{machine.name} has power", remedy=f"python -m lab.hosts cut {machine.name}")
    power.repair(lab, machine)
    here = power.place(lab, machine)
    image = deploy_image.build(lab.home.logs / "deploy-image.log", report)
    iso = here.directory / "config.iso"
    config_drive.write(new_config(lab, machine, image.sha256), iso, here.directory / "config")
    here.disk.unlink(missing_ok=True)
    here.make_disk(machine.disk_gib)
    shell.run("dd", f"if={image.path}", f"of={here.disk}", "bs=1M", "conv=notrunc,sparse", "status=none")
    start = _append_partition(here.disk, machine.disk_gib)
    shell.run("dd", f"if={iso}", f"of={here.disk}", "bs=1M", f"seek={start}", "conv=notrunc,sparse", "status=none")
    iso.unlink()
    state.update(here.directory, lambda old: old.with_target(Device.HDD, Override.DISABLED))
    events.record(events.path(lab.home), machine.name, "seed", image=image.sha256)


def known_hosts(lab: Lab) -> Path:
    """Host keys of seeded machines, in OpenSSH's form."""
    return lab.home.path / "hosts" / "known_hosts"


def ssh_command(lab: Lab, machine: Machine) -> list[str]:
    """How to reach a seeded machine."""
    options = ("-i", lab.home.secrets / "ssh_key", "-o", f"UserKnownHostsFile={known_hosts(lab)}")
    return ["ssh", *(str(o) for o in options), "-o", "StrictHostKeyChecking=yes", f"root@{_address(lab, machine).ip}"]


def _append_partition(disk: Path, gib: int) -> int:
    """Add the config drive's partition at the end of the disk; where it starts, in MiB."""
    start = (gib << 10) - _CONFIG_MIB - 1  # the last MiB holds the second copy of the table
    shell.run("sfdisk", "-q", "--relocate", "gpt-bak-std", disk)
    line = f"start={start * _MIB_SECTORS}, size={_CONFIG_MIB * _MIB_SECTORS}, type=linux, name=config-2\n"
    shell.run("sfdisk", "-q", "--append", disk, stdin=line)
    return start


def new_config(lab: Lab, machine: Machine, image_sha256: str) -> config_drive.HostConfig:
    """What a machine is told at its next first boot; makes a new host key for it and pins it."""
    private, public = _host_key(lab, machine)
    (oob,) = (nic for nic in machine.nics if nic.oob)
    return config_drive.HostConfig(
        name=machine.name,
        uuid=str(uuid.uuid4()),
        domain=lab.wiring.domain,
        mac=oob.mac,
        address=_address(lab, machine),
        gateway=str(lab.wiring.oob.gateway),
        dns=str(lab.wiring.services.address),
        authorized_key=(lab.home.secrets / "ssh_key.pub").read_text(),
        host_key=private,
        host_key_public=public,
        authority=pki.authority(lab.home).read_text(),
        image_sha256=image_sha256,
    )


def _address(lab: Lab, machine: Machine) -> IPv4Interface:
    address = lab.wiring.records.get(machine.name)
    if address is None:
        raise LabError(f"the wiring has no address for {machine.name}", found=f"no record {machine.name}")
    return IPv4Interface(f"{address}/{lab.wiring.oob.network.prefixlen}")


def _host_key(lab: Lab, machine: Machine) -> tuple[str, str]:
    """A new host key, and its pin in `known_hosts`."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
    pins = known_hosts(lab)
    address = str(_address(lab, machine).ip)
    others = [line for line in pins.read_text().splitlines() if line.split(" ")[0] != address] if pins.exists() else []
    write_atomically(pins, "\n".join([*others, f"{address} {public}", ""]))
    return private, f"{public} root@{machine.name}"
