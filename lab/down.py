"""Takes the lab away, whatever state it is in.

First in order, by what is recorded; then by looking at the kernel: groups, name spaces, mounts and loop
devices that carry the lab's names or lie below its directory. So it also cleans up after a crash, and when
the records are lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial

from lab import cgroups, mounts, network, processes
from lab.context import Lab
from lab.errors import LabError
from lab.home import RUN, locked, refuse_foreign
from lab.progress import Progress
from lab.steps import Outcome, Step, perform
from lab.switches import power


def down(lab: Lab, progress: Progress, *, purge: bool = False) -> Sequence[Outcome]:
    """Remove everything that `up` makes; with `purge` also what it wrote."""
    with locked():
        refuse_foreign(lab.home)
        outcomes = perform(_plan(lab), progress)
        failed = [o for o in outcomes if o.error]
        if failed:
            raise LabError(
                "the lab is not completely removed",
                details=[f"{o.step.title}: {o.error}" for o in failed],
                remedy="run `python -m lab down` again; what is left is named above",
            )
        if purge:
            shutil.rmtree(lab.home.path, ignore_errors=True)
        shutil.rmtree(RUN, ignore_errors=True)
    return outcomes


def _plan(lab: Lab) -> list[Step]:
    switches = [
        Step(name=f"switch:{s.name}", title=f"switch {s.name}", act=partial(power.turn_off, lab, s, cut=True))
        for s in lab.wiring.switches
    ]
    services = [
        Step(name=name, title=name, act=partial(processes.stop, name))
        for name in processes.names()
        if name not in {power.unit(s) for s in lab.wiring.switches}
    ]
    first = tuple(step.name for step in (*switches, *services))
    # These look for themselves, and go on from wherever the ones above stopped.
    rest: list[tuple[str, str, Callable[[], bool]]] = [
        ("processes", "whatever still runs", _end_processes),
        ("network", "bridge, cables, name spaces", partial(_remove_network, lab)),
        ("mounts", "mounts and loop devices", partial(_release, lab)),
        ("groups", "control groups", _remove_groups),
    ]
    steps = [*switches, *services]
    previous = first
    for name, title, act in rest:
        steps.append(Step(name=name, title=title, act=act, needs=previous))
        previous = (name,)
    return steps


def _end_processes() -> bool:
    found = bool(cgroups.members())
    cgroups.kill()
    return found


def _remove_network(lab: Lab) -> bool:
    network.remove(lab.wiring)
    return True


def _release(lab: Lab) -> bool:
    mounts.release(lab.home.path)
    left = [p for p in mounts.mounted() if p.startswith(f"{lab.home.path}")]
    if left:
        raise LabError("still mounted", found=", ".join(left))
    return True


def _remove_groups() -> bool:
    if not cgroups.remove():
        raise LabError("groups that are still busy", found=", ".join(map(str, cgroups.groups())))
    return True
