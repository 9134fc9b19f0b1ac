"""Asking again: only what may be asked twice, and never with a password that was refused.

Owns the rule; the waiting is tenacity's. Errors say of themselves what they are: clients raise subclasses of
TransientError or AuthenticationError, and every other error is final.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import tenacity

from components.errors import DeviceError, Problem

T = TypeVar("T")

ATTEMPTS = 5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


class TransientError(DeviceError):
    """The device may answer the same request well in a moment."""

    def __init__(
        self,
        message: str,
        problems: Sequence[Problem] = (),
        *,
        is_refused: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, problems)
        self.is_refused = is_refused
        """The request was certainly not carried out (503, or no connection), so that even one that is not
        idempotent may be made again."""
        self.retry_after_s = retry_after_s
        """What the device asks for."""


class AuthenticationError(DeviceError):
    """The device does not know us. BMCs lock the account at the fourth wrong password, so nobody knocks twice."""


async def retried(
    call: Callable[[], Awaitable[T]],
    *,
    idempotent: bool,
    attempts: int = ATTEMPTS,
    first_wait_s: float = FIRST_WAIT_S,
    longest_wait_s: float = LONGEST_WAIT_S,
) -> T:
    """The answer of `call`, made again after a TransientError, a TimeoutError or a lost connection.

    Waits are exponential with full jitter, so that what failed together is not repeated together. A call that is
    not idempotent is made again only when the device says that it did nothing; its unknown end is resolved by
    looking, which is the journal's way. The last error is raised as it is.
    """

    def may_repeat(error: BaseException) -> bool:
        if isinstance(error, AuthenticationError):
            return False
        if isinstance(error, TransientError):
            return idempotent or error.is_refused
        return idempotent and isinstance(error, TimeoutError | ConnectionError)

    spread = tenacity.wait_random_exponential(multiplier=first_wait_s, max=longest_wait_s)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.retry_after_s if isinstance(error, TransientError) else None
        return spread(state) + (asked or 0.0)

    trying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(may_repeat),
        stop=tenacity.stop_after_attempt(attempts),
        wait=wait,
        reraise=True,
    )
    return await trying(call)
