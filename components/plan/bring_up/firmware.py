"""Firmware of one endpoint: from what its BMC shows to what state the push is in.

Owns the reading of inventory and tasks (DSP0266, Task and SoftwareInventory; messages of the Update registry) and the
judgement. Pure: the engine looks and acts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

RUNNING = frozenset({"New", "Pending", "Starting", "Running", "Stopping", "Suspended", "Service"})
ENDED_WELL = "Completed"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSeen:
    """An update task."""

    path: str
    state: str
    percent: int
    versions: Mapping[str, str]
    """Component -> version that it writes, of the components that were asked about."""

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING


class FlashState(StrEnum):
    """How far the locked bundle is."""

    RUNS = "runs"
    """Every component runs its version."""
    WRITTEN = "written"
    """It was pushed whole and waits for its activation."""
    RUNNING = "running"
    """A task writes it."""
    FAILED = "failed"
    """The last task for it ended badly."""
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Flash:
    """What an endpoint shows of the bundle."""

    state: FlashState
    task: TaskSeen | None = None
    missing: tuple[str, ...] = ()
    """Components that do not run their version."""


def digest_of(versions: Mapping[str, str]) -> str:
    """Of a set of versions, so that the journal knows the same push again."""
    text = "\n".join(f"{id}={version}" for id, version in sorted(versions.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_inventory(collection: Mapping[str, Any]) -> dict[str, str]:
    """Component -> version, from an expanded firmware inventory."""
    return {str(m["Id"]): str(m.get("Version", "")) for m in collection["Members"] if "Id" in m}


def read_task(task: Mapping[str, Any], wanted: Iterable[str]) -> TaskSeen:
    """A task; of its messages count those that name a component and a version, in whichever order."""
    versions: dict[str, str] = {}
    names = set(wanted)
    for message in task.get("Messages", ()):
        arguments = [str(a) for a in message.get("MessageArgs", ())]
        if len(arguments) == 2 and len(named := names.intersection(arguments)) == 1:
            component = named.pop()
            versions[component] = arguments[1 - arguments.index(component)]
    return TaskSeen(
        path=str(task["@odata.id"]),
        state=str(task["TaskState"]),
        percent=int(task.get("PercentComplete") or 0),
        versions=versions,
    )


def judge(wanted: Mapping[str, str], inventory: Mapping[str, str], tasks: Sequence[TaskSeen]) -> Flash:
    """Where the bundle stands; `tasks` from the oldest to the newest."""
    missing = tuple(sorted(id for id, version in wanted.items() if inventory.get(id) != version))
    if not missing:
        return Flash(state=FlashState.RUNS)
    ours = [t for t in tasks if t.versions and all(wanted.get(c) == v for c, v in t.versions.items())]
    if running := [t for t in tasks if t.is_running]:
        # Nobody else updates in a rack that is brought up: a task whose messages name nothing yet is ours too.
        return Flash(state=FlashState.RUNNING, task=running[-1], missing=missing)
    last = next((t for t in reversed(ours) if set(t.versions) >= set(missing)), None)
    if last is None:
        return Flash(state=FlashState.ABSENT, missing=missing)
    state = FlashState.WRITTEN if last.state == ENDED_WELL else FlashState.FAILED
    return Flash(state=state, task=last, missing=missing)


def next_look_s(percent: int, elapsed_s: float, *, least_s: float, most_s: float) -> float:
    """Until a running task is worth another look: most of what it still needs, if it goes on as it went so far."""
    if percent <= 0:
        return min(most_s, max(least_s, elapsed_s * 0.5))
    left_s = elapsed_s * (100 - percent) / percent
    return min(most_s, max(least_s, left_s * 0.7))
