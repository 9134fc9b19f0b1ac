"""What is asked again, how often, and what never is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from components.engine.retry import ATTEMPTS, AuthenticationError, TransientError, retried
from components.errors import DeviceError
from tests.virtual_time import run


def failing(times: int, error: Exception) -> tuple[Callable[[], Awaitable[str]], list[float]]:
    """A call that fails so often, and the times at which it was made."""
    made: list[float] = []

    async def call() -> str:
        made.append(asyncio.get_running_loop().time())
        if len(made) <= times:
            raise error
        return "done"

    return call, made


@pytest.mark.parametrize("error", [TransientError("502"), TimeoutError(), ConnectionResetError()], ids=repr)
def test_what_may_be_asked_twice_is_asked_until_it_is_answered(error: Exception) -> None:
    call, made = failing(2, error)
    assert run(retried(call, idempotent=True)) == "done"
    assert len(made) == 3


@pytest.mark.parametrize("error", [TransientError("502"), TimeoutError(), ConnectionResetError()], ids=repr)
def test_what_may_not_be_asked_twice_is_not(error: Exception) -> None:
    call, made = failing(1, error)
    with pytest.raises(type(error)):
        run(retried(call, idempotent=False))
    assert len(made) == 1


def test_a_request_that_the_device_refused_to_begin_is_made_again_in_any_case() -> None:
    call, made = failing(1, TransientError("503", is_refused=True))
    assert run(retried(call, idempotent=False)) == "done"
    assert len(made) == 2


@pytest.mark.parametrize("error", [AuthenticationError("401"), DeviceError("404"), ValueError()], ids=repr)
def test_a_refused_password_and_what_will_not_change_stop_at_once(error: Exception) -> None:
    call, made = failing(1, error)
    with pytest.raises(type(error)):
        run(retried(call, idempotent=True))
    assert len(made) == 1


def test_it_gives_up_with_the_last_error() -> None:
    call, made = failing(99, TransientError("the BMC is busy"))
    with pytest.raises(TransientError, match="busy"):
        run(retried(call, idempotent=True))
    assert len(made) == ATTEMPTS


def test_what_failed_together_is_not_repeated_together() -> None:
    async def main() -> list[float]:
        calls = [failing(1, TransientError("502")) for _ in range(50)]
        await asyncio.gather(*(retried(call, idempotent=True) for call, _ in calls))
        return [made[1] for _, made in calls]

    assert len({round(at, 2) for at in run(main())}) > 20


def test_the_time_that_a_device_asks_for_is_waited() -> None:
    call, made = failing(1, TransientError("503", retry_after_s=60))
    run(retried(call, idempotent=True))
    assert made[1] >= 60
