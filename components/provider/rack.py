"""`gpuregion:baremetal:Rack`: the trays of one rack, enrolled, cleaned and deployed through Ironic.

Owns a rack as one resource: its trays go their ways side by side, one that fails does not stop the
others, and all failures come back as one error. What one tray does is tray.py's, in which state it does
what is tray_state.py's, what a change means is plan/actions/racks.py's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from components.clients.ironic import Ironic
from components.clients.ironic_model import Node
from components.clients.ironic_watch import POLL_S, NodeWatch
from components.clients.secrets import credentials, reference_path
from components.engine.admission import Admission
from components.engine.fanout import on_all
from components.errors import DeviceError, Problem, RegionError
from components.plan.actions.racks import rack_actions
from components.provider.handler import Change, Context, Created, PartlyCreatedError, Properties
from components.provider.rack_inputs import RackInputs, check_inputs
from components.provider.rack_trays import registered_trays
from components.provider.tray import TrayWorker
from components.provider.tray_plan import Tools
from components.provider.tray_state import Goal, Want, is_enrolled_for

TOKEN = "gpuregion:baremetal:Rack"  # noqa: S105 - a resource type
UNFINISHED = "unfinished"
"""Recorded as the state of a tray whose way ended in an error."""

IronicFactory = Callable[[RackInputs, Context], Ironic]


def connect(rack: RackInputs, context: Context) -> Ironic:
    """A client for the Ironic of this rack."""
    return Ironic(
        rack.ironic.url,
        credentials(context.project, rack.ironic.credentials),
        ca=reference_path(context.project, rack.ironic.ca),
    )


class RackHandler:
    """Implements provider.handler.Handler and Resumable."""

    token = TOKEN

    def __init__(
        self, *, factory: IronicFactory = connect, admission: Admission | None = None, poll_s: float = POLL_S
    ) -> None:
        self._factory = factory
        self._admission = admission or Admission()
        self._poll_s = poll_s

    def check(self, inputs: Properties) -> list[Problem]:
        """All problems of the inputs; pure."""
        return check_inputs(inputs)

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """What is done to which tray, and why; pure."""
        if old.get("rack") != new["rack"]:
            return [Change(key="rack", text=f"another rack: {old.get('rack')} -> {new['rack']}", replaces=True)]
        key = "image" if old.get("image") != new["image"] and old.get("trays") == new["trays"] else "trays"
        changes = [Change(key=key, text=str(action)) for action in rack_actions(old, new)]
        named = {change.key for change in changes}
        # Also what moves nothing must reach the record, else the next preview shows it again.
        rest = [k for k in sorted({*old, *new}) if old.get(k) != new.get(k) and k not in named]
        return [*changes, *(Change(key=k, text=_differs(k, old.get(k), new.get(k))) for k in rest)]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """Trays that are not recorded as what they shall be."""
        recorded: Mapping[str, Any] = outputs.get("trays") or {}
        return [
            Change(key="trays", text=f"{name}: continue to {tray['desired']}, it is {state}")
            for name, tray in inputs["trays"].items()
            if (state := recorded.get(name, {}).get("state", "absent")) != tray["desired"]
        ]

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """Bring every tray to what it shall be."""
        outputs, error = await self._reach(inputs, context, gone={})
        if error is not None:
            raise PartlyCreatedError(error, Created(id=name, outputs=outputs))
        return Created(id=name, outputs=outputs)

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """As create; trays that left the rack, or whose place another machine took, are removed first."""
        gone = {
            name: tray
            for name, tray in old["trays"].items()
            if name not in new["trays"] or tray["serial"] != new["trays"][name]["serial"]
        }
        outputs, error = await self._reach(new, context, gone=gone)
        if error is not None:  # the old inputs stay recorded, so the next preview lists what is left
            raise error
        return outputs

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """What Ironic shows of each tray; None if it knows none of them."""
        rack = RackInputs.model_validate({k: v for k, v in state.items() if k != "trays"} | {"trays": _inputs(state)})
        async with self._ironic(rack, context) as ironic:
            nodes = await ironic.nodes()
        found = {name: nodes.get(name) for name in rack.trays}
        if not any(found.values()):
            return None
        return {"trays": {name: _output(rack, name, node) for name, node in found.items()}}

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
        inputs = {**state, "trays": _inputs(state)}
        _, error = await self._reach({**inputs, "trays": {}}, context, gone=inputs["trays"])
        if error is not None:
            raise error

    async def _reach(
        self, inputs: Properties, context: Context, *, gone: Mapping[str, Any]
    ) -> tuple[dict[str, Any], RegionError | None]:
        """Outputs of all trays, and the one error that names every tray that failed."""
        rack = RackInputs.model_validate(dict(inputs))
        leaving = RackInputs.model_validate({**inputs, "trays": dict(gone)})
        staying, going = registered_trays(rack, context), registered_trays(leaving, context)
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
                # A run that failed elsewhere may have made the exchange already.
                if name in going and not (
                    name in staying and is_enrolled_for(await ironic.node(name), staying[name].serial)
                ):
                    await TrayWorker(going[name], Want(goal=Goal.GONE), tools).reach()
                if name not in staying:
                    return None
                want = Want(goal=Goal(rack.trays[name].desired), deployment=rack.deployment(name))
                return await TrayWorker(staying[name], want, tools).reach()

            try:
                good, bad = await on_all(sorted({*staying, *going}), work)
            finally:
                await watch.close()
        outputs = {
            name: {**_output(rack, name, good.get(name)), **({"state": UNFINISHED} if name in bad else {})}
            for name in rack.trays
        }
        return {"trays": outputs}, _failure(rack.rack, len(good), bad)

    @asynccontextmanager
    async def _ironic(self, rack: RackInputs, context: Context) -> AsyncGenerator[Ironic, None]:
        ironic = self._factory(rack, context)
        try:
            yield ironic
        finally:
            await ironic.close()


def _inputs(state: Properties) -> dict[str, Any]:
    """The inputs of each tray, out of the state that has outputs laid over them."""
    return {
        name: {k: v for k, v in tray.items() if k not in ("node", "state", "address", "image_sha256")}
        for name, tray in state["trays"].items()
    }


def _output(rack: RackInputs, name: str, node: Node | None) -> dict[str, Any]:
    info: Mapping[str, Any] = {}
    if node is not None and node.provision_state == "active":
        info = node.instance_info
    return {
        "node": node.uuid if node is not None else "",
        "state": node.provision_state if node is not None else "absent",
        "address": str(rack.trays[name].oob.address),
        "image_sha256": info.get("image_os_hash_value", ""),
    }


def _differs(key: str, old: object, new: object) -> str:
    values = f" from {old} to {new}" if isinstance(old, str | int) and isinstance(new, str | int) else ""
    return f"{key} changes{values}"


def _failure(rack: str, good: int, bad: Mapping[str, DeviceError]) -> DeviceError | None:
    if not bad:
        return None
    problems: Iterable[Problem] = (problem for error in bad.values() for problem in error.problems)
    others = ", the others did" if good else ""
    text = f"{rack}: {len(bad)} of {good + len(bad)} trays did not get there{others}"
    return DeviceError(text, tuple(problems))
