"""Takes the lab away, whatever state it is in.

First in order, by what is recorded; then by looking at the kernel: groups, name spaces, mounts and loop
devices that carry the lab's names or lie below its directory. So it also cleans up after a crash, and when
the records are lost.

A lab of another checkout is taken away only if it is dead: no recorded process lives (number, start time and
boot are compared), its control groups are empty, none of its name spaces exists. That its directory is there
says nothing, and that it is gone neither.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lab import cgroups, devices, limits, links, mounts, network, processes
from lab.context import Lab
from lab.errors import LabError, OwnerError
from lab.home import RUN, Home, locked, owner
from lab.progress import Progress
from lab.steps import Outcome, Step, Watcher, perform
from lab.wiring import Machine, Switch


def down(home: Home, lab: Lab | None, progress: Progress, *, purge: bool = False) -> Sequence[Outcome]:
    """Remove everything that `up` makes; with `purge` also what it wrote.

    Without a wiring (`lab` is None) no network was made by anybody; the rest is looked for all the same.
    """
    with locked():
        take_over(home, progress)
        outcomes = _remove(home, lab, progress)
        if purge:
            shutil.rmtree(home.path, ignore_errors=True)
        shutil.rmtree(RUN, ignore_errors=True)
    return outcomes


def take_over(home: Home, progress: Progress) -> None:
    """Refuse while a lab of another checkout lives; take away what is left of a dead one.

    Called with the machine's lock held, which stays. The dead lab's own directory stays too: it is its checkout's.
    """
    found = owner()
    if found is None or found == home.path:
        return
    dead = Home(path=found)
    lab = _as_built(dead)
    if life := _sign_of_life(lab):
        raise OwnerError(
            "this machine already runs a lab of another checkout",
            found=f"{found}: {life}",
            allowed=str(home.path),
            remedy=f"take that one down first: LAB_HOME={found} python -m lab down",
        )
    _remove(dead, lab, _Unwatched())
    for entry in RUN.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()
    progress.summary(f"nothing of the lab of {found} ran any more: what it left is removed", taken_over=str(found))


class _Unwatched:
    """The steps of a removal that is told in one line."""

    def started(self, step: Step) -> None: ...
    def note(self, step: str, text: str) -> None: ...
    def ended(self, outcome: Outcome, done: int, total: int) -> None: ...


def _as_built(home: Home) -> Lab | None:
    try:
        return Lab.running(home) if Lab.is_described(home) else None
    except LabError:  # of a version with another form of wiring: what needs no names is looked for all the same
        return None


def _sign_of_life(lab: Lab | None) -> str | None:
    """What of a lab is there still; for a person."""
    if running := [name for name in processes.names() if processes.pid_of(name) is not None]:
        return f"{', '.join(running)} {'runs' if len(running) == 1 else 'run'}"
    if members := cgroups.members():
        return f"processes {', '.join(map(str, sorted(members)))} run in its control groups"
    if lab and (there := [name for name in network.spaces(lab.wiring) if links.namespace_exists(name)]):
        return f"name spaces {', '.join(there)} exist"
    return None


def _remove(home: Home, lab: Lab | None, watcher: Watcher) -> Sequence[Outcome]:
    outcomes = perform(_plan(home, lab), watcher)
    failed = [o for o in outcomes if o.error]
    if failed:
        raise LabError(
            "the lab is not completely removed",
            details=[f"{o.step.title}: {o.error}" for o in failed],
            remedy=f"run `LAB_HOME={home.path} python -m lab down` again; what is left is named above",
        )
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
