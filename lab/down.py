"""Takes the lab away, whatever state it is in.

First in order, by what is recorded; then by looking at the kernel: groups, name spaces, mounts and loop
devices that carry the lab's names or lie below its directory. So it also cleans up after a crash, and when
the records are lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lab import cgroups, devices, limits, mounts, network, processes
from lab.context import Lab
from lab.errors import LabError
from lab.home import RUN, Home, locked, refuse_foreign
from lab.progress import Progress
from lab.steps import Outcome, Step, perform
from lab.wiring import Machine, Switch


def down(home: Home, lab: Lab | None, progress: Progress, *, purge: bool = False) -> Sequence[Outcome]:
    """Remove everything that `up` makes; with `purge` also what it wrote.

    Without a wiring (`lab` is None) no network was made by anybody; the rest is looked for all the same.
    """
    with locked():
        refuse_foreign(home)
        outcomes = perform(_plan(home, lab), progress)
        failed = [o for o in outcomes if o.error]
        if failed:
            raise LabError(
                "the lab is not completely removed",
                details=[f"{o.step.title}: {o.error}" for o in failed],
                remedy="run `python -m lab down` again; what is left is named above",
            )
        if purge:
            shutil.rmtree(home.path, ignore_errors=True)
        shutil.rmtree(RUN, ignore_errors=True)
    return outcomes


def _plan(home: Home, lab: Lab | None) -> list[Step]:
    servers = [
        Step(name=name, title=f"{name} server", act=partial(processes.stop, name))
        for name in processes.names()
        if not name.startswith(("switch-", "machine-"))
    ]
    # Whoever could switch a machine on again goes first.
    before = tuple(step.name for step in servers)
    plugs = (
        [
            Step(name=f"device:{d.name}", title=d.name, act=partial(_pull_plug, lab, d), needs=before)
            for d in (*lab.wiring.switches, *lab.wiring.machines)
        ]
        if lab
        else []
    )
    first = tuple(step.name for step in (*servers, *plugs))
    # These look for themselves, and go on from wherever the ones above stopped.
    rest: list[tuple[str, str, Callable[[], bool]]] = [
        ("processes", "whatever still runs", _end_processes),
        ("mounts", "mounts and loop devices", partial(_release, home)),
        ("groups", "control groups", _remove_groups),
        ("limits", "limits of the kernel, as they were", limits.restore),
    ]
    if lab:
        rest.insert(1, ("network", "bridge, cables, name spaces", partial(_remove_network, lab)))
    steps = [*servers, *plugs]
    previous = first
    for name, title, act in rest:
        steps.append(Step(name=name, title=title, act=act, needs=previous))
        previous = (name,)
    return steps


def _pull_plug(lab: Lab, device: Switch | Machine) -> bool:
    """Without hope: whatever is left of the device, the steps after this one find and remove."""
    return devices.is_on(lab, device) and devices.turn_off(lab, device, cut=True)


def _end_processes() -> bool:
    found = bool(cgroups.members())
    cgroups.kill()
    return found


def _remove_network(lab: Lab) -> bool:
    devices.sweep_nspawn(lab)
    return network.remove(lab.wiring)


def _release(home: Home) -> bool:
    done = mounts.release(home.path)
    left = [point for point in mounts.mounted() if Path(point).is_relative_to(home.path)]
    if left:
        raise LabError("still mounted", found=", ".join(left))
    return done


def _remove_groups() -> bool:
    found = any(cgroups.groups())
    if not cgroups.remove():
        raise LabError("control groups are still busy", found=", ".join(map(str, cgroups.groups())))
    return found
