"""What a transaction does to switches, done through the journal.

Owns the translation of a switch's answers into observations, so that a killed run's intents find their outcome
and none is repeated blindly.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.engine.journal import Action, Journal, Observation, Step
from components.engine.switch import Desired, Switch
from components.plan.actions.action import ActionKind


class CommitRecord:
    """Applies, confirms and rolls back, leaving intent and outcome of each."""

    def __init__(self, journal: Journal, switches: Mapping[str, Switch]) -> None:
        self._journal = journal
        self._switches = switches

    async def apply(
        self, name: str, desired: Desired, *, commit: str, owner: str, confirm_in_s: float, base: str, timeout_s: float
    ) -> None:
        """Apply on a switch that was just seen without a pending commit."""

        async def act() -> None:
            await self._switches[name].apply(
                desired.config, commit=commit, owner=owner, confirm_in_s=confirm_in_s, base=base, timeout_s=timeout_s
            )

        await self._perform(ActionKind.CONFIGURE, name, desired.sha256, Observation.ABSENT, act)

    def require(self, desired: Mapping[str, Desired]) -> None:
        """Raise NotApprovedError unless all of these may be configured: before the first of them is touched."""
        for name, wanted in desired.items():
            self._journal.require(Action(target=name, kind=ActionKind.CONFIGURE, digest=wanted.sha256))

    async def confirm(self, name: str, desired: Desired, commit: str, *, unsure: bool) -> None:
        """Confirm on a switch on which `commit` waits, or, if `unsure`, may be confirmed already."""
        seen = Observation.ABSENT
        if unsure:
            state = await self._switches[name].state()
            if state.pending is None and state.accepted_sha256 == desired.sha256:
                seen = Observation.DONE

        async def act() -> None:
            await self._switches[name].confirm(commit)

        await self._perform(ActionKind.CONFIRM, name, desired.sha256, seen, act)

    async def found(self, name: str, desired: Desired, *, confirmed: bool) -> None:
        """Conclude what an earlier run left open: the switch shows the lines applied, and perhaps confirmed."""
        kinds = (ActionKind.CONFIGURE, ActionKind.CONFIRM) if confirmed else (ActionKind.CONFIGURE,)
        for kind in kinds:
            await self._perform(kind, name, desired.sha256, Observation.DONE)

    async def roll_back(self, name: str, commit: str, why: str) -> bool:
        """Take `commit` back if it waits on the switch; whether there was anything to take back."""
        switch = self._switches[name]
        waiting = (await switch.state()).pending
        there = waiting is not None and waiting.id == commit

        async def act() -> None:
            await switch.rollback(commit, why)

        if there:
            await self._perform(ActionKind.ROLL_BACK, name, commit, Observation.ABSENT, act)
        return there

    async def _perform(
        self, kind: ActionKind, name: str, digest: str, seen: Observation, act: Step | None = None
    ) -> None:
        async def observe() -> Observation:
            return seen

        async def nothing() -> None:
            return None

        await self._journal.perform(Action(target=name, kind=kind, digest=digest), observe=observe, act=act or nothing)
