"""A BMC, asked directly whether it answers and lets us in.

Owns that one question. Ironic asks the same, but takes minutes to give up on a BMC that is silent, and
tries a wrong password often enough for some BMCs to lock the account.
"""

from __future__ import annotations

import ssl

import httpx

from components.clients.ironic_diagnosis import diagnose
from components.clients.secrets import Credentials
from components.errors import DeviceError

CONNECT_S = 5.0
ANSWER_S = 30.0
"""BMCs are slow; one that was just plugged in even more."""


async def knock(
    tray: str,
    url: str,
    credentials: Credentials,
    tls: ssl.SSLContext,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Returns if the BMC of `tray` lists its systems to us; raises DeviceError with the cause if not."""
    target = f"{url}/redfish/v1/Systems"
    client = httpx.AsyncClient(
        verify=tls,
        auth=httpx.BasicAuth(credentials.username, credentials.password),
        timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        transport=transport,
    )
    try:
        async with client:
            response = await client.get(target)
    except httpx.TransportError as error:
        raise _failure(tray, f"unable to connect to {url}: {str(error) or type(error).__name__}") from error
    if not response.is_success:
        raise _failure(tray, f"HTTP GET {target} returned code {response.status_code}")


def _failure(tray: str, reason: str) -> DeviceError:
    problem = diagnose(tray, "access", reason)
    return DeviceError(problem.message, [problem])
