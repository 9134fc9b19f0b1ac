"""Gives BFD the processor at once: what hardware does in a real switch.

BFD finds a dead cable in 300 ms. A busy bench makes its daemon wait longer than that for a processor, and then
live cables are taken for dead. This service finds the `bfdd` of every switch and host, also after it was started
again, and lets the kernel prefer it. On control groups v1 a group has to be given a share of real time first.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from lab import cgroups
from lab.context import Lab
from lab.services.service import Service

DAEMON = "bfdd"
PRIORITY = 5
EVERY_S = 1.0
LAB_SHARE_US = 800_000
"""Of each second, for all of the lab; the kernel keeps 50 ms for everybody else."""
DEVICE_SHARE_US = 40_000
"""For one device: four times what its `bfdd` takes."""
_SHARE = "cpu.rt_runtime_us"


def service(lab: Lab) -> Service:
    """Runs as long as the lab."""
    del lab
    return Service(
        name="realtime",
        title="processor time for BFD",
        argv=(sys.executable, "-P", "-m", "lab.realtime"),
        ready=lambda: True,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )


def prefer(pid: int) -> None:
    """Let this process run before all ordinary ones. Where the kernel has no real time to give, it stays as it is."""
    with contextlib.suppress(OSError):
        _give_share(_cpu_group(pid))
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(PRIORITY))


def waiting(known: set[int]) -> set[int]:
    """BFD daemons of the lab that are not preferred yet; `known` grows by what is none."""
    found: set[int] = set()
    members = _members()
    known &= members
    for pid in members - known:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() != DAEMON:
                if _has_settled(pid):
                    known.add(pid)
            elif os.sched_getscheduler(pid) != os.SCHED_RR:
                found.add(pid)
    return found


def _has_settled(pid: int) -> bool:
    """A process takes its final name with exec, some moments after its birth."""
    ticks = float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK") > 5


def _members() -> set[int]:
    """All processes of the lab, by the one hierarchy that shares out processor time."""
    # This process is in a group of the lab, or beside all of them.
    own = _cpu_group(os.getpid())
    top = next((g for g in own.parents if g.name == cgroups.PARENT), own / cgroups.PARENT)
    pids: set[int] = set()
    for directory, _, _ in os.walk(top):
        with contextlib.suppress(OSError):
            pids.update(int(pid) for pid in (Path(directory) / "cgroup.procs").read_text().split())
    return pids


def _cpu_group(pid: int) -> Path:
    """The group that shares out processor time to this process; v1 has a hierarchy for it, v2 only one for all."""
    unified = cgroups.MOUNT
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            return cgroups.MOUNT / "cpu" / path.lstrip("/")
        if not controllers:
            unified = cgroups.MOUNT / path.lstrip("/")
    return unified


def _give_share(group: Path) -> None:
    """From the lab's group downwards: no group may have more than the one above it."""
    for level in (*reversed(group.parents), group):
        if cgroups.PARENT not in level.parts or not (level / _SHARE).exists():
            continue
        share = LAB_SHARE_US if level.name == cgroups.PARENT else DEVICE_SHARE_US
        if int((level / _SHARE).read_text()) < share:
            (level / _SHARE).write_text(str(share))


def main() -> None:
    """Look for new daemons until ended."""
    known: set[int] = set()
    while True:
        for pid in waiting(known):
            prefer(pid)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
