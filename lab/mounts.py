"""Mounts and loop devices below the lab's directory.

Where / is private (PID 1 is not systemd), every nspawn container keeps a hidden copy of each mount
that exists when it starts, for as long as it lives: a disk that was unmounted here stays mounted there.
Below a shared mount an umount reaches those copies, so the lab's directory is made one.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from lab import shell


def share(directory: Path) -> bool:
    """Make mounts below a directory propagate; whether anything had to be done."""
    if _is_shared(directory):
        return False
    if str(directory) not in mounted():
        shell.run("mount", "--bind", directory, directory)
    shell.run("mount", "--make-shared", directory)
    return True


def mounted() -> list[str]:
    """All mount points of this machine, in the order of mounting."""
    return [point for point, _ in _table()]


def overlay(lower: Path, upper: Path, work: Path, at: Path) -> None:
    """Lay a writable layer over a root tree, unless that is done already."""
    for directory in (upper, work, at):
        directory.mkdir(parents=True, exist_ok=True)
    if str(at) not in mounted():
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        shell.run("mount", "-t", "overlay", "overlay", "-o", options, at)


def unmount(at: Path) -> None:
    """Unmount if it is mounted; lazily if somebody is still in it."""
    if str(at) in mounted() and not shell.succeeds("umount", at):
        shell.run("umount", "--lazy", at, check=False)


def release(directory: Path) -> bool:
    """Unmount everything below a directory and itself, and free loop devices on files in it; whether any was."""
    points = [Path(point) for point in mounted() if Path(point).is_relative_to(directory)]
    for point in reversed(points):
        unmount(point)
    ours = [device for device, backing in loops().items() if Path(backing).is_relative_to(directory)]
    for device in ours:
        shell.run("partx", "-d", device, check=False)
        shell.run("losetup", "-d", device, check=False)
    return bool(points or ours)


def loops() -> dict[str, str]:
    """Loop devices in use and the files behind them."""
    found: dict[str, str] = {}
    for entry in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            found[f"/dev/{entry.parent.parent.name}"] = entry.read_text().strip().removesuffix(" (deleted)")
    return found


def _is_shared(directory: Path) -> bool:
    """Whether a mount made below the directory now would propagate."""
    above = [(point, flags) for point, flags in _table() if directory.is_relative_to(point)]
    # The last of the longest mount points is the one that is visible.
    _, flags = max(enumerate(above), key=lambda item: (len(item[1][0]), item[0]))[1]
    return "shared:" in flags


def _table() -> list[tuple[str, str]]:
    """Mount points and their propagation flags."""
    rows: list[tuple[str, str]] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
        rows.append((point, " ".join(fields[6 : fields.index("-")])))
    return rows
