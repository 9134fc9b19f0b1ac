"""One endpoint in hand: looking with patience, acting through the journal, within the limit of the step.

Owns time: every look and every wait of a step ends at its limit. Waiting for a turn (pace, budgets) does not count.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from components.engine.action import Action, Observation, Outcome
from components.engine.bring_up.bmc import Bmc, DroppedError, PasswordRefusedError, SilentError, bmc_problem
from components.engine.bring_up.services import Passwords, Services
from components.engine.retry import TransientError, retried
from components.errors import DeviceError
from components.plan.actions.action import ActionKind
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.bring_up import EndpointProfile

T = TypeVar("T")

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 15.0
"""Of the machine, between two tries at a BMC that does not answer as it should."""
SETTLES_S = 20.0
"""A reset whose answer was lost shows its effect by then, if it was carried out."""
TRIES_LEAST = 4
"""A limit counts only after so many tries without success, one after the other: neither a busy program nor a machine
that fails now and then may be taken for one that never answers."""


class StepError(DeviceError):
    """A step did not end well; what it says goes into the event and the summary."""

    def __init__(self, endpoint: str, cause: Cause, detail: str, *, is_remediable: bool = False) -> None:
        super().__init__(f"{endpoint}: {detail}", [bmc_problem(endpoint, cause, detail)])
        self.cause = cause
        self.detail = detail
        self.is_remediable = is_remediable
        """Whether the step's known-good action may help."""


class Hand:
    """What steps use. Made once for an endpoint, and told when a step begins."""

    def __init__(
        self, rack: RackWork, work: EndpointWork, profile: EndpointProfile, services: Services, passwords: Passwords
    ) -> None:
        self.rack = rack
        self.work = work
        self.profile = profile
        self.services = services
        self.passwords = passwords
        self.bmc: Bmc = services.connect(work)
        self.is_known = False
        """Whether a password was accepted in this run."""
        self.evidence: dict[str, Any] = {}
        """What steps saw, for the ledger."""
        self._deadline = 0.0
        self._has_acted = False
        self._has_answered = False
        """Anything, ever."""

    @property
    def has_acted(self) -> bool:
        """Whether the current step changed anything."""
        return self._has_acted

    def begin(self, limit_s: float) -> None:
        """A step begins."""
        self._deadline = self._now() + self.services.tempo.limit_s(limit_s)
        self._has_acted = False

    def fail(self, cause: Cause, detail: str, *, is_remediable: bool = False) -> StepError:
        """An error of this endpoint."""
        return StepError(self.work.name, cause, detail, is_remediable=is_remediable)

    def is_over(self, tries: int) -> bool:
        """Whether the step has had its time, and so many tries were in vain."""
        return tries >= TRIES_LEAST and self._now() > self._deadline

    async def rest(self, seconds: float) -> None:
        """Wait for the machine, `seconds` of its time."""
        await asyncio.sleep(self.services.tempo.machine_s(seconds))

    async def look(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer, asked for again until it comes or the step has had its time. For what changes nothing."""

        tries = 0

        async def once() -> T:
            nonlocal tries
            try:
                answer = await ask()
            except TransientError as error:
                tries += 1
                if self.is_over(tries):
                    silent = isinstance(error, SilentError) or not self._has_answered
                    cause = Cause.SILENT if silent else Cause.UNSTEADY
                    raise self.fail(cause, _reason(error)) from error
                raise
            except PasswordRefusedError as error:
                if self.is_known:
                    raise self.fail(Cause.LOCKED_OUT, "a password that it took before is refused now") from error
                raise
            self._has_answered = True
            return answer

        with contextlib.suppress(TransientError):
            return await once()  # nearly always; what tries again costs more than the request
        tempo = self.services.tempo
        await self.rest(FIRST_WAIT_S)
        return await retried(
            once,
            idempotent=True,
            attempts=1_000_000,
            first_wait_s=tempo.machine_s(FIRST_WAIT_S),
            longest_wait_s=tempo.machine_s(LONGEST_WAIT_S),
        )

    async def get(self, path: str, *, expand: bool = False) -> Any:
        """A resource."""
        return await self.look(lambda: self.bmc.get(path, expand=expand))

    async def until(
        self,
        is_reached: Callable[[], Awaitable[bool]],
        *,
        cause: Cause,
        detail: str,
        pause_s: float = 5.0,
        is_remediable: bool = True,
    ) -> None:
        """Look until it is so, or the step has had its time."""
        tries = 0
        while not await is_reached():
            tries += 1
            if self.is_over(tries):
                raise self.fail(cause, detail, is_remediable=is_remediable)
            await self.rest(pause_s)

    async def perform(
        self,
        kind: ActionKind,
        digest: str,
        *,
        observe: Callable[[], Awaitable[Observation]],
        act: Callable[[], Awaitable[None]],
        await_done: Callable[[], Awaitable[None]] | None = None,
        settles_s: float = 0.0,
    ) -> None:
        """Do it through the journal, once: what came of a lost answer is seen by looking, not by asking again."""
        action = Action(target=self.work.name, kind=kind, digest=digest, destructive=True)

        async def once() -> None:
            self._has_acted = True
            try:
                await act()
            except (DroppedError, SilentError) as error:
                if not error.is_refused:
                    await self.rest(settles_s)
                raise

        tries = 0
        while True:
            try:
                outcome = await self.services.journal.perform(action, observe=observe, act=once, await_done=await_done)
                self._has_acted |= outcome is Outcome.DONE
            except TransientError as error:
                tries += 1
                if self.is_over(tries):
                    raise self.fail(Cause.UNSTEADY, _reason(error)) from error
                await asyncio.sleep(error.retry_after_s or self.services.tempo.machine_s(FIRST_WAIT_S))
            else:
                return

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _reason(error: DeviceError) -> str:
    found = next((p.found for p in error.problems if p.found), None)
    return found or error.message
