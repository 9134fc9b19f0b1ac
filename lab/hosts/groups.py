"""Control groups that a machine's boot runs in: one in each hierarchy, which becomes its "/".

With the first version of control groups they lie below the group of whoever powered the machine.
With the second one they lie at the top: a group that holds processes can give no controllers to
groups below it, and only the root group is free of that rule.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from lab import cgroups
from lab.errors import LabError


def make(unit: str, memory_mib: int, parent: str = cgroups.PARENT) -> list[Path]:
    """The groups of one boot, with the machine's memory as their limit; those of the unit are one level above."""
    if (cgroups.MOUNT / "cgroup.controllers").exists():
        made = [unified(cgroups.MOUNT, unit, parent)]
    else:
        cgroups.create(unit, parent=parent)  # the level above first: a v1 cpuset hands down what it has
        made = cgroups.create(f"{unit}/boot", parent=parent)
    for group in made:
        for file in ("memory.max", "memory.limit_in_bytes"):
            if (group / file).exists():
                (group / file).write_text(str(memory_mib << 20))
    return made


def unified(mount: Path, unit: str, parent: str = cgroups.PARENT) -> Path:
    """A group with every controller, below the root of a v2 hierarchy."""
    group = mount
    for part in (parent, unit, "boot"):
        _enable_controllers(group)
        group = group / part
        group.mkdir(exist_ok=True)
    return group


def remove(unit: str) -> None:
    """Remove the groups of a boot that has ended."""
    cgroups.kill(f"{unit}/boot")
    cgroups.remove(f"{unit}/boot")


def _enable_controllers(group: Path) -> None:
    wanted = (group / "cgroup.controllers").read_text().split()
    enabled = (group / "cgroup.subtree_control").read_text().split()
    for controller in sorted(set(wanted) - set(enabled)):
        # One at a time: some (such as cpu with real-time processes) may be refused alone.
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}")
    got = (group / "cgroup.subtree_control").read_text().split()
    lacking = {"cpu", "memory", "pids"} - set(got)
    if lacking:
        raise LabError(
            "control groups of a machine would lack controllers",
            found=f"{group} cannot give {', '.join(sorted(lacking))} to groups below it",
            allowed="a root group (or a delegated one without processes of its own) with cpu, memory and pids",
            remedy="run the lab on the machine itself, not in a container that shares one control group with it",
        )
