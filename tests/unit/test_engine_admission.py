"""Limits hold for each key, and a failed holder gives its slot back."""

from __future__ import annotations

import asyncio

import pytest

from components.engine.admission import KeyedLimit


async def test_no_key_exceeds_its_limit_and_keys_do_not_disturb_each_other() -> None:
    limit = KeyedLimit(2)
    now = {"a": 0, "b": 0}
    most = {"a": 0, "b": 0}

    async def work(key: str) -> None:
        async with limit.slot(key):
            now[key] += 1
            most[key] = max(most[key], now[key])
            await asyncio.sleep(0)
            now[key] -= 1

    await asyncio.gather(*(work(key) for key in "ab" for _ in range(9)))
    assert most == {"a": 2, "b": 2}


async def test_a_failed_holder_gives_its_slot_back() -> None:
    limit = KeyedLimit(1)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            async with asyncio.timeout(1), limit.slot("bmc"):
                raise RuntimeError


def test_a_limit_that_admits_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        KeyedLimit(0)
