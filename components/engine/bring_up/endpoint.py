"""One endpoint through its steps: waits for its turn, tries the known-good action once, tells what happens.

Owns the order of steps and what becomes of a failure. Steps themselves know neither events nor budgets.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from components.engine.acceptance import AcceptanceEvent
from components.engine.action import Observation
from components.engine.bring_up.bmc import PasswordRefusedError
from components.engine.bring_up.event import Observer, StepEvent, StepOutcome
from components.engine.bring_up.hand import SETTLES_S, Hand, StepError
from components.engine.bring_up.result import Isolation
from components.engine.bring_up.steps import STEPS
from components.engine.bring_up.steps.firmware import look_at
from components.engine.bring_up.steps.reset import KINDS, reset
from components.engine.budget import Claim
from components.errors import DeviceError
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.firmware import FlashState
from components.spec.catalogue.bring_up import After, Reset, Step, StepName

Wait = Callable[[Sequence[After], str], Awaitable[None]]
"""Waits until what a step comes after has ended; told the tray's slot."""

_MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What an answer that is not as Redfish says it makes of the code that reads it."""

RECORDED: Mapping[StepName, AcceptanceEvent] = MappingProxyType(
    {
        StepName.FIND: AcceptanceEvent.RACKED,
        StepName.CREDENTIALS: AcceptanceEvent.CREDENTIALS_ROTATED,
        StepName.MATCH: AcceptanceEvent.MATCHED,
        StepName.VERIFY: AcceptanceEvent.FIRMWARE_VERIFIED,
        StepName.BOOT: AcceptanceEvent.CONFIGURED,
    }
)
"""Step -> what the ledger is told once it is done."""
_REQUIREMENTS: Mapping[StepName, str] = MappingProxyType(
    {StepName.MATCH: "CNP08", StepName.VERIFY: "CNP09", StepName.BOOT: "SEC22"}
)


def _only_looks(step: Step) -> bool:
    """Whether it may be done to what is in service. Getting in changes a password only where it is the factory's."""
    return step.step is StepName.CREDENTIALS or not step.destructive


class EndpointRun:
    """The run of one endpoint. What is in service is looked at only: firmware and settings that differ are told."""

    def __init__(self, hand: Hand, observe: Observer, wait: Wait, *, is_in_service: bool = False) -> None:
        self._hand = hand
        self._is_in_service = is_in_service
        self._observe = observe
        self._wait = wait
        self._began = 0.0

    async def run(self) -> Isolation | None:
        """All steps but the hand-over; the isolation if it did not get through."""
        hand = self._hand
        for step in hand.profile.steps:
            if step.step is StepName.HAND_OVER or (self._is_in_service and not _only_looks(step)):
                continue
            await self._wait(step.after, hand.work.tray)
            async with hand.services.budgets.hold(self._claims(step)):
                try:
                    await self._step(step)
                except DeviceError as error:
                    return self._isolate(step, error)
        await hand.services.journal.settle(hand.work.name, lambda _kind, _digest: Observation.DONE)
        return None

    async def _step(self, step: Step) -> None:
        hand = self._hand
        self._began = time.monotonic()
        self.tell(step.step, StepOutcome.STARTED)
        hand.begin(step.limit_s)
        try:
            await self._carry_out(step)
        except StepError as error:
            if step.remedy is None or not error.is_remediable:
                raise
            self.tell(step.step, StepOutcome.REMEDIED, error.cause, f"{error.detail}: {step.remedy}, then once more")
            await self._remedy(step.remedy, step, error)
            hand.begin(step.limit_s)
            await self._carry_out(step)
        await self._record(step.step)
        self.tell(step.step, StepOutcome.DONE if hand.has_acted else StepOutcome.OBSERVED)

    async def _carry_out(self, step: Step) -> None:
        try:
            await STEPS[step.step](self._hand)
        except _MALFORMED as error:
            raise self._hand.fail(Cause.MALFORMED, f"{type(error).__name__} in `{step.step}`: {error}") from error

    async def _remedy(self, by: Reset, step: Step, error: StepError) -> None:
        """The known-good action, through the journal too. An update that ended badly is just pushed again."""
        hand = self._hand
        if error.cause is Cause.FIRMWARE_FAILED:
            return
        has_reset = False

        async def observe() -> Observation:
            if step.step is StepName.FLASH:
                return Observation.ABSENT if (await look_at(hand)).state is FlashState.RUNNING else Observation.DONE
            return Observation.DONE if has_reset else Observation.ABSENT

        async def act() -> None:
            nonlocal has_reset
            await reset(hand, by)
            has_reset = True

        async def await_done() -> None:
            await hand.rest(SETTLES_S)
            await hand.get(hand.profile.system)

        hand.begin(step.limit_s)
        digest = f"remedy of {step.step}"
        await hand.perform(KINDS[by], digest, observe=observe, act=act, await_done=await_done, settles_s=SETTLES_S)

    async def _record(self, step: StepName) -> None:
        hand, event = self._hand, RECORDED.get(step)
        if hand.services.ledger is None or event is None:
            return
        evidence: dict[str, Any] = {"step": str(step)}
        match step:
            case StepName.MATCH:
                evidence["serial"] = hand.evidence["serial"]
            case StepName.VERIFY:
                evidence["firmware"] = hand.evidence["firmware"]
                evidence["baseline"] = hand.services.plan.baseline.baseline
            case StepName.BOOT:
                evidence["bios"] = hand.evidence["bios"]
                evidence["secure_boot"] = hand.evidence["secure_boot"]
            case _:
                pass
        await hand.services.ledger.record(
            serial=hand.work.serial,
            event=event,
            device=hand.work.name,
            evidence=evidence,
            requirement=_REQUIREMENTS.get(step),
        )

    def _isolate(self, step: Step, error: DeviceError) -> Isolation:
        cause = getattr(error, "cause", Cause.MALFORMED)
        if isinstance(error, PasswordRefusedError) and self._hand.is_known:
            cause = Cause.LOCKED_OUT
        detail = error.detail if isinstance(error, StepError) else error.message
        self.tell(step.step, StepOutcome.FAILED, cause, detail)
        self.tell(step.step, StepOutcome.ISOLATED, cause, detail)
        work = self._hand.work
        return Isolation(
            rack=self._hand.rack.name, endpoint=work.name, kind=work.kind, step=step.step, cause=cause, detail=detail
        )

    def tell(self, step: StepName, outcome: StepOutcome, cause: str = "", detail: str = "") -> None:
        """One event."""
        seconds = 0.0 if outcome is StepOutcome.STARTED else time.monotonic() - self._began
        rack, work = self._hand.rack, self._hand.work
        self._observe(StepEvent.now(rack, work, step, outcome, seconds=seconds, cause=cause, detail=detail))

    def _claims(self, step: Step) -> list[Claim]:
        rack, limits = self._hand.rack, self._hand.services.plan.limits
        names = {"rack": rack.name, "nvlink": rack.name, "feed": rack.feed, "region": "region"}
        amounts = {"feed": rack.tray_kw}
        return [
            Claim(key=f"{claim}:{names[claim]}", amount=min(amounts.get(claim, 1.0), limits[claim]))
            for claim in step.claims
        ]
