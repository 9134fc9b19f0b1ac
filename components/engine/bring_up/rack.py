"""One rack: its endpoints side by side as far as their order permits, then the verdict and the hand-over.

Owns what waits for what in a rack. Racks know nothing of each other: one that fails stops no other.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from components.engine.acceptance import AcceptanceEvent
from components.engine.action import Action, Observation
from components.engine.bring_up.endpoint import EndpointRun
from components.engine.bring_up.event import Observer, StepEvent, StepOutcome
from components.engine.bring_up.hand import Hand
from components.engine.bring_up.result import Isolation, RackEnd, RackResult
from components.engine.bring_up.services import Passwords, Services
from components.errors import DeviceError
from components.plan.actions.action import ActionKind
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.verdict import Verdict, verdict
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.bring_up import After, StepName
from components.spec.catalogue.firmware import Endpoint


class RackRun:
    """The run of one rack."""

    def __init__(self, rack: RackWork, services: Services, observe: Observer) -> None:
        self._rack = rack
        self._services = services
        self._observe = observe
        self._left: Counter[tuple[Endpoint, str]] = Counter()
        """Endpoints that have not ended, by kind in the rack (slot empty) and in a tray."""
        self._ended: dict[tuple[Endpoint, str], asyncio.Event] = {}
        self._in_service = frozenset(
            e.tray
            for e in rack.endpoints
            if e.kind is Endpoint.COMPUTE_TRAY and services.journal.has_done(hand_over_action(e))
        )
        """Slots of trays that were handed over: they may run hosts, on this rack's power and switches."""
        for each in rack.endpoints:
            for slot in {"", each.tray}:
                self._left[each.kind, slot] += 1
                self._ended.setdefault((each.kind, slot), asyncio.Event())

    async def run(self) -> RackResult:
        """To its end, whatever that is."""
        passwords = await self._services.passwords.open_rack(self._rack)
        done: list[Isolation | None]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._endpoint(each, passwords)) for each in self._rack.endpoints]
        done = [task.result() for task in tasks]
        isolated = [found for found in done if found is not None]
        found = verdict(self._rack, self._services.plan.bring_up, frozenset(i.endpoint for i in isolated))
        refused = await self._hand_over(found)
        return self._result(found, isolated, refused)

    async def _endpoint(self, work: EndpointWork, passwords: Mapping[str, Passwords]) -> Isolation | None:
        profile = self._services.plan.bring_up.kind(work.kind)
        hand = Hand(self._rack, work, profile, self._services, passwords[work.name])
        is_in_service = work.tray in self._in_service if work.tray else bool(self._in_service)
        try:
            return await EndpointRun(hand, self._observe, self._wait, is_in_service=is_in_service).run()
        finally:
            for slot in {"", work.tray}:
                self._left[work.kind, slot] -= 1
                if not self._left[work.kind, slot]:
                    self._ended[work.kind, slot].set()

    async def _wait(self, after: Sequence[After], slot: str) -> None:
        for each in after:
            event = self._ended.get((each.kind, "" if each.within == "rack" else slot))
            if event is not None:
                await event.wait()

    async def _hand_over(self, found: Verdict) -> list[Isolation]:
        """Records and enrolment of all usable trays; those that Ironic did not take."""
        if not found.trays:
            return []
        await self._services.nodes.write(self._rack, found.trays)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._enrol(tray)) for tray in found.trays]
        return [refused for task in tasks if (refused := task.result()) is not None]

    async def _enrol(self, tray: EndpointWork) -> Isolation | None:
        nodes, began = self._services.nodes, time.monotonic()
        self._tell(tray, StepOutcome.STARTED, 0.0)

        async def observe() -> Observation:
            return Observation.DONE if await nodes.is_enrolled(self._rack, tray) else Observation.ABSENT

        try:
            await self._services.journal.perform(
                hand_over_action(tray), observe=observe, act=lambda: nodes.enrol(self._rack, tray)
            )
        except DeviceError as error:
            seconds = time.monotonic() - began
            self._tell(tray, StepOutcome.FAILED, seconds, Cause.HAND_OVER_FAILED, error.message)
            return self._not_handed_over(tray, Cause.HAND_OVER_FAILED, error.message, seconds)
        if self._services.ledger is not None:
            await self._services.ledger.record(
                serial=tray.serial,
                event=AcceptanceEvent.HANDED_OVER,
                device=tray.name,
                evidence={"address": tray.address},
            )
        outcome = StepOutcome.OBSERVED if tray.tray in self._in_service else StepOutcome.DONE
        self._tell(tray, outcome, time.monotonic() - began)
        return None

    def _result(self, found: Verdict, isolated: list[Isolation], refused: list[Isolation]) -> RackResult:
        reason = found.reason
        lost = {i.endpoint for i in (*isolated, *refused)}
        sound = [e for e in self._rack.endpoints if e.kind is Endpoint.COMPUTE_TRAY and e.name not in lost]
        isolated += [
            self._not_handed_over(tray, Cause.DEPENDS, why, 0.0)
            for tray in sound
            if (why := found.depends.get(tray.name) or (reason if found.is_isolated else ""))
        ]
        if refused:
            reason = "; ".join(filter(None, [reason, f"Ironic did not take {len(refused)} trays"]))
        end = RackEnd.HANDED_OVER_SHORT if reason else RackEnd.HANDED_OVER
        return RackResult(
            rack=self._rack.name,
            end=RackEnd.ISOLATED if found.is_isolated else end,
            reason=reason,
            handed_over=tuple(tray.name for tray in found.trays if tray.name not in lost),
            isolated=(*isolated, *refused),
        )

    def _not_handed_over(self, tray: EndpointWork, cause: Cause, detail: str, seconds: float) -> Isolation:
        self._tell(tray, StepOutcome.ISOLATED, seconds, cause, detail)
        return Isolation(
            rack=self._rack.name,
            endpoint=tray.name,
            kind=tray.kind,
            step=StepName.HAND_OVER,
            cause=cause,
            detail=detail,
        )

    def _tell(
        self, tray: EndpointWork, outcome: StepOutcome, seconds: float, cause: str = "", detail: str = ""
    ) -> None:
        event = StepEvent.now(
            self._rack, tray, StepName.HAND_OVER, outcome, seconds=seconds, cause=cause, detail=detail
        )
        self._observe(event)


def hand_over_action(tray: EndpointWork) -> Action:
    """The hand-over of a tray, as the journal knows it."""
    return Action(target=tray.name, kind=ActionKind.ENROL, digest=tray.serial)
