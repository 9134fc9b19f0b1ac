"""Calls a service as its clients do: plain HTTP to an address, with the service's name as host."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx

from components.errors import DeviceError, Problem


class CallError(DeviceError):
    """A service gave no answer at all."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    text: str
    seconds: float
    """From the call to the last byte."""


async def call(address: str, *, host: str, path: str = "/", timeout_s: float = 60) -> Answer:
    """One request on a connection of its own. Raises CallError if there is no answer."""
    began = time.monotonic()
    try:
        async with httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client:
            answer = await client.get(f"http://{address}{path}", headers={"Host": host})
    except httpx.HTTPError as error:
        problem = Problem(
            path=f"http://{address}{path}",
            message=f"{host} gives no answer",
            found=str(error) or type(error).__name__,
            remedy="see docs/runbooks/FunctionDoesNotWake.md",
        )
        raise CallError(f"{host} gives no answer", [problem]) from error
    return Answer(status=answer.status_code, text=answer.text, seconds=time.monotonic() - began)
