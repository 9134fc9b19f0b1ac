"""`gpuregion:baremetal:Rack`: the trays of one rack, enrolled, cleaned and deployed through Ironic.

Owns a rack as one resource: its trays go their ways side by side, one that fails does not stop the
others, and all failures come back as one error. What one tray does is tray.py's, in which state it does
what is tray_state.py's, what a change means is plan/actions/racks.py's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from components.clients.ironic import Ironic
from components.clients.ironic_model import Node
from components.clients.ironic_watch import POLL_S, NodeWatch
from components.clients.secrets import ca_context, credentials
from components.engine.admission import Admission
from components.engine.fanout import on_all
from components.errors import DeviceError, Problem, RegionError
from components.provider.handler import Context, Created, Properties, UnfinishedError
from components.provider.rack_inputs import RackInputs
from components.provider.rack_outputs import failure_of, inputs_of, outputs_of, want_of
from components.provider.rack_preview import RackPreview
from components.provider.rack_trays import registered_trays
from components.provider.tray import TrayWorker
from components.provider.tray_access import access_digests
from components.provider.tray_plan import Tools
from components.provider.tray_state import Goal, Want, is_for_another

IronicFactory = Callable[[RackInputs, Context], Ironic]


def connect(rack: RackInputs, context: Context) -> Ironic:
    """A client for the Ironic of this rack."""
    return Ironic(
        rack.ironic.url,
        credentials(context.project, rack.ironic.credentials),
        tls=ca_context(context.project, rack.ironic.ca),
    )


class RackHandler(RackPreview):
    """Implements provider.handler.Handler."""

    def __init__(
        self, *, factory: IronicFactory = connect, admission: Admission | None = None, poll_s: float = POLL_S
    ) -> None:
        self._factory = factory
        self._admission = admission or Admission()
        self._poll_s = poll_s

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """Bring every tray to what it shall be."""
        return Created(id=name, outputs=await self._reach(name, inputs, context, leaving={}))

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """As create; trays that left the rack are removed."""
        leaving = {name: tray for name, tray in old["trays"].items() if name not in new["trays"]}
        return await self._reach(id, new, context, leaving=leaving)

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """What Ironic shows of each tray; None if it knows none of them."""
        rack = RackInputs.model_validate({**state, "trays": inputs_of(state["trays"])})
        async with self._ironic(rack, context) as ironic:
            nodes = await ironic.nodes()
        known = nodes.keys() & rack.trays.keys()
        return outputs_of(rack, nodes, access_digests(rack, context)) if known else None

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """Undeploy, clean and forget every tray. Refuses a protected rack; tolerates what is gone."""
        if state.get("protect"):
            raise RegionError(
                "the rack is protected",
                [
                    Problem(
                        path=id,
                        message="a protected rack is not deleted",
                        remedy="drain it, set `protect: false` in racks.yaml and apply that; then delete",
                        rule="protected",
                    )
                ],
            )
        await self._reach(id, {**state, "trays": {}}, context, leaving=inputs_of(state["trays"]))

    async def _reach(
        self, id: str, inputs: Properties, context: Context, *, leaving: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Bring trays to their goal, and those that leave away; outputs, or the error that names every failure."""
        rack = RackInputs.model_validate(dict(inputs))
        without = RackInputs.model_validate({**inputs, "trays": dict(leaving)})
        staying, going = registered_trays(rack, context), registered_trays(without, context)
        async with self._ironic(rack, context) as ironic:
            await ironic.nodes()  # one error if Ironic is not there, before each tray says it
            watch = NodeWatch(ironic, self._poll_s)
            tools = Tools(
                rack=rack.rack,
                ironic=ironic,
                watch=watch,
                journal=context.journal,
                admission=self._admission,
                report=context.report,
                timeout_s=rack.deploy_timeout_s,
            )

            async def work(name: str) -> Node | None:
                if name in going:
                    return await TrayWorker(going[name], Want(goal=Goal.GONE), tools).reach()
                # Seen at the node, not from old inputs: an unfinished run may have made the exchange already.
                if is_for_another(await ironic.node(name), staying[name].serial):
                    await TrayWorker(staying[name], Want(goal=Goal.GONE), tools).reach()
                return await TrayWorker(staying[name], want_of(rack, name), tools).reach()

            try:
                good, bad = await on_all(sorted({*staying, *going}), work)
            finally:
                await watch.close()
            nodes = {**good, **(await _look_again(ironic) if bad else {})}
        error = failure_of(rack.rack, len(good) + len(bad), bad)
        outputs = outputs_of(rack, nodes, {name: plan.access for name, plan in staying.items()})
        if error is None:
            return outputs
        if bad.keys() & going.keys():  # the old inputs stay recorded: only they name the trays that must go
            raise error
        raise UnfinishedError(error, Created(id=id, outputs=outputs))

    @asynccontextmanager
    async def _ironic(self, rack: RackInputs, context: Context) -> AsyncGenerator[Ironic, None]:
        ironic = self._factory(rack, context)
        try:
            yield ironic
        finally:
            await ironic.close()


async def _look_again(ironic: Ironic) -> dict[str, Node]:
    try:
        return await ironic.nodes()
    except DeviceError:  # already among the reasons
        return {}
