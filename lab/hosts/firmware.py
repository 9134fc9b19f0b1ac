"""One boot of a machine: everything that is attached for it, and detached after it.

The firmware reads the virtual CD or the disk, mounts what will be the root, and says how to start it.
It plays boot loader and kernel too: all machines run the kernel of the bench machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
import time
from pathlib import Path

from lab import links, mounts, shell
from lab.errors import LabError
from lab.hosts import disk, nics
from lab.hosts.place import Place
from lab.hosts.state import Device, State

_NSPAWN = (
    *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--hostname=localhost", "--link-journal=no"),
    *("--resolv-conf=off", "--timezone=off", "--private-users=no", "--capability=all"),
    "--system-call-filter=add_key keyctl bpf @memlock",
    *("--bind=/dev/fuse", "--bind=/dev/kmsg"),
)


class NotBootable(LabError):
    """There is nothing to boot; a real machine would say so on its console and stay powered."""


class Boot:
    """What one boot attaches. Whatever happens, `detach` leaves nothing behind."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.facts = place.facts()
        self.work = place.directory / "boot"
        self._loops: list[disk.Loop] = []

    def attach(self, device: Device, state: State) -> list[str]:
        """Get everything ready; the command that starts the operating system."""
        self.detach()
        self.work.mkdir(parents=True, exist_ok=True)
        name = self.place.name
        nics.take(name, self.place.chassis, self.facts.macs)
        loop = self._attach(self.place.disk)
        if device is Device.CD and state.medium:
            root, binds = self._cd(self.place.directory / state.medium, loop)
        else:
            root, binds = self._hdd(loop)
        return [
            *_NSPAWN,
            f"--machine={name}",
            f"--directory={root}",
            f"--network-namespace-path={links.NAMESPACES / name}",
            f"--bind-ro={self.place.facts_file}:/run/lab-platform/machine.json",
            *binds,
            *self._sysfs(Path(loop).name),
            "--boot",
        ]

    def detach(self) -> None:
        """Take everything back, also what an earlier boot left when it was killed."""
        for point in reversed([p for p in mounts.mounted() if Path(p).is_relative_to(self.place.directory)]):
            # What ended just now may hold it for a moment.
            for _ in range(20):
                if shell.succeeds("umount", point):
                    break
                time.sleep(0.1)
        while self._loops:
            self._loops.pop().release()
        mounts.release(self.place.directory)
        nics.give_back(self.place.name, self.place.chassis, self.facts.macs)
        shutil.rmtree(self.work, ignore_errors=True)

    def _attach(self, file: Path, *options: str) -> str:
        loop = disk.Loop(file, *options)
        self._loops.append(loop)
        return loop.device

    def _hdd(self, loop: str) -> tuple[Path, list[str]]:
        partitions = disk.tell_partitions(loop)
        number = disk.root_partition(loop)
        if number is None:
            raise NotBootable("no bootable partition on the disk", found=", ".join(partitions) or "no partition")
        disk.grow(loop, number)
        root = self.work / "root"
        root.mkdir()
        shell.run("mount", f"{loop}p{number}", root)
        return root, [f"--bind={node}" for node in (loop, *partitions)]

    def _cd(self, medium: Path, loop: str) -> tuple[Path, list[str]]:
        if not medium.exists():
            raise NotBootable("the medium in the drive cannot be read", found=f"no {medium.name}")
        disk.tell_partitions(loop)
        cd = self.work / "cd"
        cd.mkdir()
        # Read in user space: the kernel may have no iso9660.
        shell.run("bsdtar", "-xf", medium, "-C", cd, "initrd", "isolinux/isolinux.cfg")
        command_line = kernel_command_line((cd / "isolinux/isolinux.cfg").read_text())
        lower = unpack_ramdisk(cd / "initrd", self.place.ramdisks)
        # A ramdisk forgets: its writable layer is made for this boot.
        root = self.work / "root"
        mounts.overlay(lower, self.work / "upper", self.work / "overlay", root)
        (root / "etc/kernel-cmdline").write_text(command_line + "\n")
        return root, [f"--bind={loop}", f"--bind={self._attach(medium, '--read-only')}:/dev/sr0"]

    def _sysfs(self, loop: str) -> list[str]:
        """The machine's own view of devices.

        nspawn mounts /sys before it enters the network name space, so a machine would see the
        ports of the bench machine, and everybody's disks. Its own are laid over them.
        """
        sysfs, block = self.work / "sys", self.work / "block"
        sysfs.mkdir()
        block.mkdir()
        (block / loop).symlink_to(f"/sys/devices/virtual/block/{loop}")
        inside = f"--net={links.NAMESPACES / self.place.name}"
        shell.run("nsenter", inside, "mount", "-t", "sysfs", "sysfs", sysfs)
        own = [f"--bind-ro={sysfs}/{part}:/sys/{part}" for part in ("class/net", "devices/virtual/net")]
        return [f"--bind-ro={block}:/sys/block", *own]


def kernel_command_line(isolinux: str) -> str:
    """What the boot loader's configuration passes to the kernel."""
    found = re.search(r"^\s*append\s+(.*?)(?:\s+--)?\s*$", isolinux, re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise NotBootable("the medium has no boot entry", found="isolinux.cfg without an append line")
    return found[1]


def unpack_ramdisk(initrd: Path, ramdisks: Path) -> Path:
    """Root directory of a ramdisk, unpacked once for each content. The archive is used up."""
    with initrd.open("rb") as handle:
        root = ramdisks / hashlib.file_digest(handle, "sha256").hexdigest()[:16]
    ramdisks.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two machines may boot the same medium at once
        if not root.exists():
            draft = root.with_suffix(".part")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            shell.run("bsdtar", "--numeric-owner", "-xpf", initrd, "-C", draft)  # whatever its compression
            draft.rename(root)
    with contextlib.suppress(OSError):
        initrd.unlink()
    return root
