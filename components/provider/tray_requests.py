"""What is asked of Ironic for one tray, and the wait until it is done.

Owns the translation of refusals, failures and silence into a problem with its cause and next step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from components.clients.ironic import IronicError
from components.clients.ironic_diagnosis import diagnose, timed_out
from components.clients.ironic_model import Node
from components.errors import DeviceError
from components.provider.tray_plan import Tools, TrayPlan
from components.provider.tray_progress import Progress
from components.provider.tray_state import Step, is_moving

POWERED_OFF = "power off"
DOING = {
    Step.ENROL: "enrolment",
    Step.MANAGE: "taking it back for inspection",
    Step.INSPECT: "inspection",
    Step.CLEAN: "cleaning",
    Step.DEPLOY: "deployment",
    Step.UNDEPLOY: "undeployment",
    Step.POWER_OFF: "switching off",
    Step.REMOVE: "removal",
}
ARRIVED = {
    Step.ENROL: {"manageable"},
    Step.MANAGE: {"manageable"},
    Step.INSPECT: {"manageable"},
    Step.CLEAN: {"available"},
    Step.DEPLOY: {"active"},
    # Cleaning follows by itself, and is a step of its own.
    Step.UNDEPLOY: {"available", "cleaning", "clean wait"},
}


class TrayRequests:
    """Requests for one tray."""

    def __init__(self, plan: TrayPlan, tools: Tools, progress: Progress) -> None:
        self._plan = plan
        self._tools = tools
        self._progress = progress

    async def provision(self, verb: str, config_drive: Mapping[str, Any] | None = None) -> None:
        """Ask for a provision verb; raises DeviceError with the cause if it is refused."""
        await self._accepted(self._tools.ironic.provision(self._plan.name, verb, config_drive=config_drive))

    async def power(self, target: str) -> None:
        """Ask for a power state; raises DeviceError with the cause if it is refused."""
        await self._accepted(self._tools.ironic.power(self._plan.name, target))

    async def _accepted(self, request: Awaitable[None]) -> None:
        try:
            await request
        except IronicError as error:
            if error.status in (None, 401, 403):  # Ironic itself, not the tray
                raise
            raise self._failure(error.reason) from error

    async def arrive(self, step: Step) -> None:
        """Wait until Ironic has done the step; raises DeviceError with the cause if it has not."""

        def is_over(node: Node | None) -> bool:
            self._progress.show(node)
            if node is None or _has_arrived(node, step):
                return True
            # A failure is shown before its reason is written; that is when the node is let go. Ironic holds a node
            # from the moment that it accepts a request.
            return not is_moving(node) and node.reservation is None

        if step is Step.REMOVE:
            return
        try:
            node = await self._tools.watch.until(self._plan.name, is_over, self._tools.timeout_s)
        except TimeoutError:
            node = await self._tools.ironic.node(self._plan.name)
            state = node.provision_state if node else "absent"
            problem = timed_out(self._plan.name, self._progress.doing, self._tools.timeout_s, state)
            raise DeviceError(problem.message, [problem]) from None
        if node is None or not _has_arrived(node, step):
            raise self._failure(node.last_error if node else None)
        if step is Step.DEPLOY:
            self._progress.begin("waiting for the host's answer")
            await self._plan.host_answers()

    def _failure(self, reason: str | None) -> DeviceError:
        problem = diagnose(self._plan.name, self._progress.doing, reason)
        return DeviceError(problem.message, [problem])


def _has_arrived(node: Node, step: Step) -> bool:
    if step is Step.POWER_OFF:
        return node.power_state == POWERED_OFF
    return step not in ARRIVED or node.provision_state in ARRIVED[step]
