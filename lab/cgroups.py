"""Control groups of the lab: one for each machine, switch and service.

A machine's group becomes "/" inside it, so machines do not share the groups that systemd and
kubelet make. A group is also the kernel's own list of what belongs to a device: whatever is in it
is the lab's, even if every file about it is lost. All groups of the lab lie in one directory
below the group of the process that made them; the host's groups stay as they are. The directory bears
the number of the network name space that the lab is built in: another lab, in a container or under
test, may be in sight from here, and is none of ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

PARENT = f"gpuregion-lab-{Path('/proc/self/ns/net').stat().st_ino}"
MOUNT = Path("/sys/fs/cgroup")


def create(name: str, *, every_hierarchy: bool = True, parent: str = PARENT) -> list[Path]:
    """Groups of a device, made if missing; services need no more than one hierarchy."""
    hierarchies = _hierarchies()
    if not every_hierarchy:
        hierarchies = hierarchies[:1]
    return [_make(mount, own / parent / name) for mount, own in hierarchies]


def groups(name: str | None = None) -> Iterator[Path]:
    """Groups of one device, or of the whole lab, that exist now; found by looking, not from records."""
    for mount in _mounts():
        for directory, children, _ in os.walk(mount):
            if PARENT in children:
                children.remove(PARENT)
                found = Path(directory) / PARENT / (name or "")
                if found.is_dir():
                    yield found


def members(name: str | None = None) -> set[int]:
    """Processes in those groups."""
    pids: set[int] = set()
    for group in groups(name):
        for directory, _, _ in os.walk(group):
            with contextlib.suppress(OSError):
                pids.update(int(pid) for pid in (Path(directory) / "cgroup.procs").read_text().split())
    return pids - {os.getpid(), os.getppid(), 0}


def kill(name: str | None = None, timeout_s: float = 10) -> None:
    """End every process in those groups at once, and wait until they are gone."""
    end = time.monotonic() + timeout_s
    while (pids := members(name)) and time.monotonic() < end:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove(name: str | None = None, timeout_s: float = 5) -> bool:
    """Remove those groups; whether none is left. A group stays busy until its last process is reaped."""
    end = time.monotonic() + timeout_s
    while True:
        left = [group for group in groups(name) if not remove_tree(group)]
        if not left or time.monotonic() > end:
            return not left
        time.sleep(0.05)


def remove_tree(top: Path) -> bool:
    """Remove a group and those below it as far as they are empty; whether it is gone."""
    for directory, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            Path(directory).rmdir()
    return not top.exists()


def _make(mount: Path, relative: Path) -> Path:
    group = mount / relative
    group.mkdir(parents=True, exist_ok=True)
    # A v1 cpuset takes no process before it knows its processors and memory nodes.
    for level in (group.parent, group):
        for file in ("cpuset.cpus", "cpuset.mems"):
            setting = level / file
            if mount.name == "cpuset" and setting.exists() and not setting.read_text().strip():
                setting.write_text((level.parent / file).read_text())
    return group


def _mounts() -> list[Path]:
    """Where the hierarchies are: one mount on a v2 machine, one for each controller on a v1 machine."""
    if (MOUNT / "cgroup.controllers").exists():
        return [MOUNT]
    return sorted(d for d in MOUNT.iterdir() if d.is_dir() and not d.is_symlink() and (d / "cgroup.procs").exists())


def _hierarchies() -> list[tuple[Path, Path]]:
    """Each hierarchy with this process's own group in it (above any group of the lab)."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller.removeprefix("name=") or "unified"] = path
    found: list[tuple[Path, Path]] = []
    for mount in _mounts():
        path = own.get("unified" if mount == MOUNT else mount.name)
        if path is not None:
            found.append((mount, Path(path.partition(f"/{PARENT}")[0].lstrip("/"))))
    return found
