"""Firmware: what is installed, pushing a package, and the task that it becomes.

A push goes to `MultipartHttpPushUri` as two parts, `UpdateParameters` (JSON) and `UpdateFile` (DSP0266 7.8.2). The
answer is 202 with the task; its versions run after the activation that each component needs.
"""

from __future__ import annotations

import json
from typing import Any, cast

from lab.fleet.accounts import require_administrator
from lab.fleet.answers import Answer, Json, Message, bad_value, malformed, ok, refuse, unavailable
from lab.fleet.call import Call
from lab.fleet.clock import calendar
from lab.fleet.hardware.model import Hardware
from lab.fleet.lifecycle import is_running, progress
from lab.fleet.multipart import parts
from lab.fleet.package import PackageError, read
from lab.fleet.resources.tree import HEALTHY, ROOT, Family, Tree, collection, link, resource
from lab.fleet.state import Deed, End, Task

UPDATES = f"{ROOT}/UpdateService"
PUSH = f"{UPDATES}/update-multipart"
INVENTORY = f"{UPDATES}/FirmwareInventory"
TASKS = f"{ROOT}/TaskService/Tasks"
MONITORS = f"{ROOT}/TaskService/TaskMonitors"
MOST_BYTES = 16 << 20
"""Largest push. Real packages are larger; images of zeros need not be."""
_TASKS_KEPT = 16


def add(tree: Tree, hardware: Hardware) -> None:
    tree.add(
        resource(
            UPDATES,
            "UpdateService.v1_13_0.UpdateService",
            "UpdateService",
            "Update Service",
            ServiceEnabled=True,
            Status=HEALTHY,
            MultipartHttpPushUri=PUSH,
            MaxImageSizeBytes=MOST_BYTES,
            FirmwareInventory=link(INVENTORY),
        )
    )
    tree.action(PUSH, _push)
    tree.add(collection(INVENTORY, "SoftwareInventory", "Firmware Inventory", [c.id for c in hardware.components]))
    for component in hardware.components:
        tree.dynamic(f"{INVENTORY}/{component.id}", lambda call, id=component.id: _installed(call, id))
    _add_tasks(tree)


def version(call: Call, component: str) -> str:
    """The version that a component runs."""
    return call.state.firmware.get(component) or next(c.version for c in call.hardware.components if c.id == component)


def _installed(call: Call, id: str) -> Json:
    component = next(c for c in call.hardware.components if c.id == id)
    shown = resource(
        f"{INVENTORY}/{id}",
        "SoftwareInventory.v1_9_0.SoftwareInventory",
        id,
        id,
        Version=version(call, id),
        Updateable=component.identifier is not None,
        Status=HEALTHY,
    )
    if component.identifier is not None:
        shown["SoftwareId"] = f"0x{component.identifier:04X}"
    return shown


def _push(call: Call) -> Answer:
    require_administrator(call)
    running = [id for id, task in call.state.tasks.items() if is_running(task, call.now)]
    if running:
        raise unavailable("Another update is in progress.", call.wall_s(60))
    found = parts(call.headers.get("content-type", ""), call.body)
    if "UpdateFile" not in found or "UpdateParameters" not in found:
        raise malformed("A push has the parts UpdateParameters and UpdateFile.")
    targets = _targets(call, found["UpdateParameters"])
    try:
        images = read(found["UpdateFile"])
    except PackageError as error:
        raise refuse(400, Message("InvalidUpload", f"The file cannot be used: {error}", (str(error),))) from None
    versions = {
        component.id: image.version
        for image in images
        if (component := call.hardware.component(image.identifier)) and (not targets or component.id in targets)
    }
    if not versions:
        text = "The package holds no image for a component of this endpoint that was asked for."
        raise refuse(400, Message("InvalidUpload", text, ()))
    id = _start(call, versions)
    return ok(_task(call, id) or {}, 202, Location=f"{MONITORS}/{id}")


def _targets(call: Call, text: bytes) -> set[str]:
    """Components that the push is limited to; none: all that the package has images for."""
    try:
        asked: Any = json.loads(text)
        named = cast("list[Any]", asked.get("Targets", []))
        wanted = {str(path) for path in named}
    except (ValueError, AttributeError, TypeError):
        raise malformed("UpdateParameters is not as its schema has it.") from None
    known = {f"{INVENTORY}/{c.id}": c.id for c in call.hardware.components}
    if strangers := sorted(wanted - set(known)):
        raise refuse(400, bad_value(strangers[0], "Targets", "members of FirmwareInventory"))
    return {known[path] for path in wanted}


def _start(call: Call, versions: dict[str, str]) -> str:
    state, behaviour = call.state, call.endpoint.behaviour
    number = state.next("task")
    end = End.STUCK if number <= behaviour.stuck else End.EXCEPTION if number <= behaviour.failed else End.COMPLETED
    state.tasks[str(number)] = Task(
        began=call.now,
        pending_s=call.takes("task_pending", call.durations.task_pending.spread),
        running_s=call.takes("flash", behaviour.flash),
        versions=versions,
        end=end,
    )
    while len(state.tasks) > _TASKS_KEPT:
        del state.tasks[next(iter(state.tasks))]
    for component, to in versions.items():
        call.record(Deed.FLASH, f"{component} {to}")
    return str(number)


def _add_tasks(tree: Tree) -> None:
    path = f"{ROOT}/TaskService"
    tree.dynamic(
        path,
        lambda call: resource(
            path,
            "TaskService.v1_2_0.TaskService",
            "TaskService",
            "Task Service",
            ServiceEnabled=True,
            CompletedTaskOverWritePolicy="Oldest",
            DateTime=calendar(call.now),
            Status=HEALTHY,
            Tasks=link(TASKS),
        ),
    )
    tree.family(TASKS, "Task", "Task Collection", Family(lambda call: list(call.state.tasks), _task))
    tree.families[MONITORS] = Family(lambda call: list(call.state.tasks), _task, {"GET": _monitor})


def _monitor(call: Call, id: str) -> Answer:
    """What a task monitor answers: 202 while the task runs, then the outcome."""
    task = _task(call, id) or {}
    if is_running(call.state.tasks[id], call.now):
        return ok(task, 202, Location=f"{MONITORS}/{id}", Retry_After=str(max(1, round(call.wall_s(30)))))
    return ok(task)


def _task(call: Call, id: str) -> Json | None:
    if (task := call.state.tasks.get(id)) is None:
        return None
    state, percent = progress(task, call.now, call.endpoint.behaviour.stuck_percent)
    failed = state == "Exception"
    shown = resource(
        f"{TASKS}/{id}",
        "Task.v1_7_0.Task",
        id,
        f"Update of {', '.join(task.versions)}",
        TaskState=state,
        TaskStatus="Critical" if failed else "OK",
        PercentComplete=percent,
        StartTime=calendar(task.began),
        TaskMonitor=f"{MONITORS}/{id}",
        Messages=[_message(component, to, state).as_json() for component, to in task.versions.items()],
    )
    if not is_running(task, call.now):
        shown["EndTime"] = calendar(task.ended or task.began + task.pending_s + task.running_s)
    return shown


def _message(component: str, to: str, state: str) -> Message:
    if state == "Exception":
        text = f"The transfer of image '{to}' to '{component}' failed."
        return Message("TransferFailed", text, (to, component), resolution="Reset the BMC and push the package again.")
    if state == "Completed":
        text = f"Device '{component}' successfully updated with image '{to}'."
        return Message("UpdateSuccessful", text, (component, to), "OK")
    text = f"Image '{to}' is being transferred to '{component}'."
    return Message("TransferringToComponent", text, (to, component), "OK")
