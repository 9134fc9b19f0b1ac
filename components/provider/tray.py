"""One tray on its way to its goal.

Owns the loop: look, decide by the table (tray_state.py), act through the journal, wait (tray_requests.py), look
again. It can be killed anywhere; the next run looks first and goes on from what it finds.
"""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from components.clients.ironic_model import Node
from components.engine.journal import Action, Observation
from components.errors import DeviceError
from components.plan.actions.action import ActionKind
from components.provider.tray_access import ACCESS, LOST
from components.provider.tray_plan import Tools, TrayPlan
from components.provider.tray_problem import circles_problem, identity_problems, maintenance_problem, stuck_problem
from components.provider.tray_progress import Progress
from components.provider.tray_requests import DOING, TrayRequests
from components.provider.tray_state import (
    DEPLOYED,
    DEPLOYING,
    DEPLOYMENT,
    DESTRUCTIVE,
    MOVING,
    WAITING,
    Goal,
    Step,
    Want,
    is_deployed,
    is_moving,
    next_step,
    seen,
)

STEPS_LIMIT = 12
"""The longest way (rebuild of a tray whose inspection must be repeated) is 7; more means going in circles."""


class TrayWorker:
    """Brings one tray to its goal, once."""

    def __init__(self, plan: TrayPlan, want: Want, tools: Tools) -> None:
        self._plan = plan
        self._want = want
        self._tools = tools
        self._progress = Progress(plan.name, tools.report)
        self._requests = TrayRequests(plan, tools, self._progress)
        self._is_inspected_now = False

    async def reach(self) -> Node | None:
        """Work until the goal is reached; returns the node, or None when it is gone. Raises DeviceError."""
        node = await self._look()
        known = await self._is_identified(node)
        settled = await self._tools.journal.settle(
            self._plan.name, lambda kind, digest: seen(node, kind, digest, is_identified=known)
        )
        if ActionKind.DEPLOY in settled:  # the run that was killed had not seen the host yet
            await self._plan.host_answers()
        async with AsyncExitStack() as held:
            if self._takes_away(node):
                await held.enter_async_context(self._tools.admission.destructive(self._tools.rack))
            node = await self._prepare(node)
            for _ in range(STEPS_LIMIT):
                node = await self._keep_access(node)
                step = next_step(node, self._want, is_identified=await self._is_identified(node))
                if step is Step.DONE:
                    return node
                await self._take(step, node)
                node = await self._look()
        raise DeviceError("a tray goes in circles", [circles_problem(self._plan.name, node)])

    def _takes_away(self, node: Node | None) -> bool:
        """Whether a host in service will be lost. One that leaves was drained, and waits for nobody."""
        is_leaving = self._want.goal is Goal.GONE
        return node is not None and node.provision_state == "active" and not is_leaving and not self._is_there(node)

    async def _look(self) -> Node | None:
        return await self._tools.ironic.node(self._plan.name)

    async def _prepare(self, node: Node | None) -> Node | None:
        """Take the tray out of what keeps it from moving, and correct what Ironic knows of it."""
        if node is None:
            return None
        if node.maintenance:
            node = await self._end_maintenance(node)
        if node is not None and node.provision_state in WAITING and _age_s(node) > self._tools.timeout_s:
            await self._give_up(node)
            node = await self._look()
        node = await self._keep_access(node)
        if node is not None and not is_moving(node) and self._want.goal is not Goal.GONE and not self._is_there(node):
            return await self._tools.ironic.update_node(
                self._plan.name, {f"/{key}": value for key, value in self._plan.registration.items() if key != "name"}
            )
        return node

    async def _keep_access(self, node: Node | None) -> Node | None:
        """Give Ironic the access to the BMC that we have by now, once the BMC has taken it from us.

        Also for a host in service: it goes on running, and could not be switched off or watched with the old one.
        """
        plan = self._plan
        is_ours = node is not None and not is_moving(node) and self._want.goal is not Goal.GONE
        if node is None or not is_ours or node.extra.get(ACCESS) == plan.access:
            return node
        await plan.bmc_answers()
        return await self._tools.ironic.update_node(
            plan.name, {"/driver_info": plan.registration["driver_info"], f"/extra/{ACCESS}": plan.access}
        )

    def _is_there(self, node: Node) -> bool:
        is_wanted = self._want.goal is Goal.ACTIVE and is_deployed(node, self._want.deployment)
        return node.provision_state == "active" and is_wanted

    async def _end_maintenance(self, node: Node) -> Node | None:
        if node.fault is None:
            raise DeviceError("a tray is in maintenance", [maintenance_problem(node)])
        if node.fault == LOST and self._want.goal is not Goal.GONE:
            await self._plan.bmc_answers()  # says why; Ironic would only knock again until the BMC locks the account
        # Ironic does this by itself after a failure. Our run is the new attempt after the cure.
        await self._tools.ironic.end_maintenance(node.name)
        return await self._look()

    async def _give_up(self, node: Node) -> None:
        """End a wait for an agent that did not call back in a whole timeout of an earlier run."""
        if node.provision_state in DEPLOYING:
            await self._take(Step.UNDEPLOY, node)
        else:
            await self._requests.provision("abort")
            await self._tools.watch.until(node.name, lambda n: not is_moving(n), self._tools.timeout_s)

    async def _is_identified(self, node: Node | None) -> bool:
        """Whether the tray is the described machine; raises DeviceError when a fresh look says it is not."""
        if node is None or self._want.goal is Goal.GONE or node.provision_state in MOVING:
            return False
        inventory = await self._tools.ironic.inventory(node.name)
        if inventory is None:
            return False
        problems = identity_problems(self._plan.name, self._plan.serial, self._plan.macs, inventory)
        # An inventory from before this run may be of the machine that was exchanged since.
        if problems and (self._is_inspected_now or self._is_there(node)):
            raise DeviceError("another machine is in this place", problems)
        return not problems

    async def _take(self, step: Step, node: Node | None) -> None:
        """One step, through the journal where it does something to the machine."""
        doing = DOING.get(step, str(step))
        self._progress.begin(doing)
        if step is Step.STUCK:
            raise DeviceError("a tray is in other hands", [stuck_problem(self._plan.name, node)])
        if step is Step.MANAGE:
            await self._requests.provision("manage")
            await self._requests.arrive(step)
            return
        async with AsyncExitStack() as held:
            limits = {Step.CLEAN: self._tools.admission.clean, Step.DEPLOY: self._tools.admission.deploy}
            if step in limits:
                await held.enter_async_context(limits[step](self._tools.ironic.url))
            action = Action(
                target=self._plan.name,
                kind=ActionKind(step.value),
                digest=self._digest(step, node),
                destructive=step in DESTRUCTIVE,
            )
            await self._tools.journal.perform(
                action,
                observe=lambda: self._observe(action),
                act=lambda: self._act(step, node),
                await_done=lambda: self._requests.arrive(step),
            )
        self._is_inspected_now |= step is Step.INSPECT

    def _digest(self, step: Step, node: Node | None) -> str:
        mark = str(node.instance_info.get(DEPLOYMENT, "")) if node is not None else ""
        if step is Step.DEPLOY:  # what is under way may have been asked for by another description
            return mark if is_moving(node) else self._want.deployment
        return mark if step is Step.UNDEPLOY else self._plan.identity

    async def _observe(self, action: Action) -> Observation:
        node = await self._look()
        return seen(node, action.kind, action.digest, is_identified=await self._is_identified(node))

    async def _act(self, step: Step, node: Node | None) -> None:
        ironic, name = self._tools.ironic, self._plan.name
        async with self._tools.admission.bmc(self._plan.bmc_url):
            if step is Step.ENROL:
                await self._enrol(node)
            elif step is Step.INSPECT:
                await self._requests.provision("inspect")
            elif step is Step.CLEAN:
                await self._requests.provision("provide")
            elif step is Step.DEPLOY:
                await ironic.update_node(name, {"/instance_info": {**self._plan.instance, DEPLOYED: str(uuid.uuid4())}})
                await self._requests.provision("active", self._plan.config_drive())
            elif step is Step.UNDEPLOY:
                await self._requests.provision("deleted")
            elif step is Step.POWER_OFF:
                await self._requests.power("power off")
            elif step is Step.REMOVE:
                await ironic.delete_node(name)

    async def _enrol(self, node: Node | None) -> None:
        ironic, plan = self._tools.ironic, self._plan
        await plan.bmc_answers()
        node = node or await ironic.create_node(plan.registration)
        for mac in sorted(plan.macs - await ironic.ports(plan.name)):
            await ironic.create_port(node, mac, boots=mac == plan.oob_mac)
        await self._requests.provision("manage")


def _age_s(node: Node) -> float:
    """Seconds since Ironic last changed the provision state."""
    if node.provision_updated_at is None:
        return 0
    return (datetime.now(UTC) - node.provision_updated_at.astimezone(UTC)).total_seconds()
