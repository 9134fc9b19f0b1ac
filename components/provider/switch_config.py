"""`gpuregion:network:SwitchConfig`: the configurations of a group of switches that change as one.

Owns the translation between Pulumi's view (inputs, outputs, differences) and a transaction. What a difference
means physically is plan/actions/switches.py; the order of things on the switches is engine/transaction.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.clients.ssh import SshAccess
from components.clients.switch import FrrSwitch
from components.engine import transaction_error as errors
from components.engine.fanout import on_all
from components.engine.switch import Desired
from components.engine.transaction import Timing, Transaction
from components.errors import Problem, RegionError
from components.plan.actions.switches import FRR
from components.provider.handler import Context, Created, Properties
from components.provider.switch_group import SwitchGroup, read_group
from components.provider.switch_preview import SwitchPreview

ADAPTERS = {FRR: FrrSwitch}
"""System on a switch -> what applies configurations to it."""


def _connect(group: SwitchGroup, context: Context) -> dict[str, FrrSwitch]:
    """Clients for all switches; refuses a group that holds a switch which nothing here can change or read."""
    unknown = {name: os for name, os in group.systems.items() if os not in ADAPTERS}
    if unknown:
        raise RegionError(
            "these switches are rendered and previewed, but cannot be configured from here; nothing was touched",
            [
                Problem(
                    path="switches",
                    message=f"no adapter applies configurations to {os}",
                    found=_some([name for name, each in sorted(unknown.items()) if each == os]),
                    allowed=f"switches with {', '.join(ADAPTERS)}",
                    remedy=f"hand the files of `region export {context.region} switches` to the system's own tools",
                )
                for os in sorted(set(unknown.values()))
            ],
        )
    access = SshAccess.from_references(
        context.project,
        user=group.ssh["user"],
        private_key=group.ssh["private_key"],
        known_hosts=group.ssh["known_hosts"],
    )
    return {name: ADAPTERS[group.systems[name]](name, address, access) for name, address in group.addresses.items()}


def _some(names: list[str], shown: int = 3) -> str:
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest


def _outputs(shas: Mapping[str, str]) -> dict[str, Any]:
    return {"switches": {name: {"config_sha256": sha} for name, sha in sorted(shas.items())}}


class SwitchConfigHandler(SwitchPreview):
    """Implements provider.handler.Handler."""

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """Bring all switches of the group to their configuration, or leave all as they were."""
        group = read_group(inputs)
        await self._transact(name, group.addresses, group, group.desired, context)
        return Created(id=name, outputs=_outputs({n: d.sha256 for n, d in group.desired.items()}))

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """As create; a switch that left the group keeps what it has."""
        return (await self.create(id, new, context)).outputs

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """What the switches have. Drift shows as lines beside the digest; None if none was ever configured."""
        group = read_group(state)
        switches = _connect(group, context)
        try:
            checked, bad = await on_all(switches, lambda n: switches[n].check(group.desired[n].config))
        finally:
            for switch in switches.values():
                await switch.close()
        if bad:
            raise errors.not_reached(bad)
        if all(c.fresh for c in checked.values()):
            return None
        outputs = _outputs({n: c.accepted_sha256 or "" for n, c in checked.items()})
        for name, c in checked.items():
            if c.drift:
                outputs["switches"][name]["drift"] = list(c.drift)
        return outputs

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """Put the switches back to the configuration they had before the first commit."""
        group = read_group(state)
        switches = _connect(group, context)
        try:
            factory, bad = await on_all(switches, lambda n: switches[n].factory())
        finally:
            for switch in switches.values():
                await switch.close()
        if bad:
            raise errors.not_reached(bad)
        desired = {n: Desired(config=text) for n, text in factory.items() if text is not None}
        if desired:
            await self._transact(id, desired, group, desired, context)

    async def _transact(
        self,
        name: str,
        names: Mapping[str, object],
        group: SwitchGroup,
        desired: Mapping[str, Desired],
        context: Context,
    ) -> None:
        switches = {n: s for n, s in _connect(group, context).items() if n in names}
        timing: Timing = group.timing
        owner = f"{context.region}/{name}"
        transaction = Transaction(switches, desired, owner=owner, journal=context.journal, timing=timing)
        result = await transaction.run()
        how = " (begun by an earlier run)" if result.resumed else ""
        context.report(f"configured {', '.join(result.changed)}{how}" if result.changed else "nothing to do")
