"""A machine's disk: partitions told to the kernel, the root found, and grown before it is mounted.

The kernel of the bench machine may have no partition parser, so partitions are told to it one by one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lab import shell

_SECTOR = 512
_ROOT_TYPES = ("ext4", "xfs", "btrfs")
_WORTHWHILE = (16 << 20) // _SECTOR
"""Free space that is worth a change of the partition table, in sectors."""


def tell_partitions(device: str) -> list[str]:
    """Make the kernel know the disk's partitions as the table now says; their device nodes."""
    shell.run("partx", "-d", device, check=False)
    shell.run("partx", "-a", device, check=False)
    return [f"{device}p{number}" for number in sorted(table(device))]


def root_partition(device: str) -> int | None:
    """Number of the first partition with a file system that an operating system may be on."""
    for number in sorted(table(device)):
        kind = shell.run("blkid", "-p", "-s", "TYPE", "-o", "value", f"{device}p{number}", check=False).strip()
        if kind in _ROOT_TYPES:
            return number
    return None


def grow(device: str, number: int) -> bool:
    """Grow a partition and its ext4 file system into the free space behind it; whether there was any.

    This is the part of an initrd: an image grows its root before it is mounted, or afterwards by
    cloud-init, and the latter needs CAP_SYS_RESOURCE, which the lab may not have.
    """
    if room_behind(_label(device), number) < _WORTHWHILE:
        return False
    partition = f"{device}p{number}"
    shell.run("sfdisk", "-q", "--no-reread", "-N", str(number), device, stdin=", +\n")
    tell_partitions(device)
    if shell.run("blkid", "-p", "-s", "TYPE", "-o", "value", partition, check=False).strip() == "ext4":
        # It demands a check before it resizes; a code of 1 means that something was mended.
        shell.run("e2fsck", "-f", "-p", partition, check=False)
        shell.run("resize2fs", partition)
    return True


def room_behind(label: dict[str, Any], number: int) -> int:
    """Sectors between the end of a partition and the next one, or the end of the disk."""
    spans = {_number(p["node"]): (int(p["start"]), int(p["start"]) + int(p["size"])) for p in label["partitions"]}
    _, end = spans[number]
    starts = [start for start, _ in spans.values() if start >= end]
    return min([*starts, int(label["lastlba"]) + 1]) - end


def table(device: str) -> set[int]:
    """Numbers of the partitions in the disk's table; none on a disk without one."""
    return {_number(partition["node"]) for partition in _label(device).get("partitions", [])}


def _label(device: str) -> dict[str, Any]:
    text = shell.run("sfdisk", "--json", device, check=False)
    return json.loads(text)["partitiontable"] if text.strip() else {}


def _number(node: str) -> int:
    digits = len(node) - len(node.rstrip("0123456789"))
    return int(node[-digits:])


class Loop:
    """A loop device on a file, for as long as this process holds it or something on it is mounted.

    The kernel frees it by itself after that, so a process that is killed leaves none behind.
    """

    def __init__(self, file: Path, *options: str) -> None:
        self.device = shell.run("losetup", "-f", "--show", *options, file).strip()
        self._handle = os.open(self.device, os.O_RDONLY | os.O_CLOEXEC)
        # In use, it is only marked to be freed by whoever closes it last.
        shell.run("losetup", "-d", self.device)

    def release(self) -> None:
        """Let go of the device and of what the kernel knows about its partitions."""
        shell.run("partx", "-d", self.device, check=False)
        os.close(self._handle)
