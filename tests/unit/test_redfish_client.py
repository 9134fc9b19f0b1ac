"""A BMC that is asked whether it answers: each way in which it may not."""

from __future__ import annotations

import ssl

import httpx
import pytest

from components.clients.redfish import knock
from components.clients.secrets import Credentials
from components.errors import DeviceError

BMC = Credentials(username="operator", password="bmc-secret")
URL = "https://172.30.0.129:443"


TLS = ssl.create_default_context()


async def test_a_bmc_that_lists_its_systems_is_let_through() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"Members": []})

    await knock("t01", URL, BMC, TLS, transport=httpx.MockTransport(answer))
    assert [str(r.url) for r in seen] == ["https://172.30.0.129/redfish/v1/Systems"]
    assert seen[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (httpx.Response(401), "bmc-credentials"),
        (httpx.Response(403), "bmc-credentials"),
        (httpx.ConnectError("All connection attempts failed"), "bmc-unreachable"),
        (httpx.ConnectTimeout(""), "bmc-unreachable"),
        (httpx.ReadTimeout(""), "bmc-unreachable"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), "bmc-certificate"),
        (httpx.Response(500), "access-failed"),
    ],
)
async def test_a_bmc_that_does_not_is_named_with_its_cause_after_one_try(
    fault: httpx.Response | httpx.TransportError, rule: str
) -> None:
    tries: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request)
        if isinstance(fault, httpx.TransportError):
            raise fault
        return fault

    with pytest.raises(DeviceError) as failure:
        await knock("t01", URL, BMC, TLS, transport=httpx.MockTransport(answer))
    assert [(p.path, p.rule) for p in failure.value.problems] == [("t01", rule)]
    assert "bmc-secret" not in str(failure.value)
    assert len(tries) == 1, "BMCs lock an account after a few wrong tries"
