"""What of this machine a run may use: cores and memory, as far as the system and its control groups allow.

Owns the reading of /proc and of control groups of both versions. What to do with it is decided in
components.plan.playbook_shards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from components.plan.playbook_shards import Controller

_MIB = 1 << 20


def controller(root: Path = Path("/")) -> Controller:
    """Cores of our affinity mask, or fewer where a group has a quota; memory that is free in machine and groups."""
    cores = float(len(os.sched_getaffinity(0)))
    free = _available(root)
    for group in _groups(root):
        quota = _number(group / "cpu.max", 0) or _number(group / "cpu.cfs_quota_us", 0)
        period = _number(group / "cpu.max", 1) or _number(group / "cpu.cfs_period_us", 0)
        if quota and period:
            cores = min(cores, quota / period)
        limit = _number(group / "memory.max", 0) or _number(group / "memory.limit_in_bytes", 0)
        used = _number(group / "memory.current", 0) or _number(group / "memory.usage_in_bytes", 0)
        if limit:
            free = min(free, max(0, limit - (used or 0)))
    return Controller(cores=cores, memory_mib=free // _MIB)


def _available(root: Path) -> int:
    for line in (root / "proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _groups(root: Path) -> Iterator[Path]:
    """Our groups and those above them: the tightest counts."""
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        kinds = [kind for kind in ("cpu", "memory") if kind in controllers.split(",")] if controllers else [""]
        for kind in kinds:
            mount = root / "sys/fs/cgroup" / kind
            group = mount / path.lstrip("/")
            yield from (above for above in (group, *group.parents) if above.is_relative_to(mount))


def _number(file: Path, word: int) -> int | None:
    """Nothing where the file is not there, or says that there is no limit (`max`, -1)."""
    try:
        text = file.read_text().split()[word]
    except (OSError, IndexError):
        return None
    return int(text) if text.isdigit() else None
