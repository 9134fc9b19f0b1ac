"""The client of Ironic: what it sends, when it tries again, and what it says when it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from components.clients.ironic import Ironic, IronicError
from components.clients.ironic_diagnosis import diagnose
from components.clients.ironic_model import Inventory, Node
from components.clients.ironic_watch import NodeWatch
from components.clients.secrets import Credentials
from components.errors import DeviceError

Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> Ironic:
    credentials = Credentials(username="region", password="secret-word")
    return Ironic("https://ironic.test:6385", credentials, transport=httpx.MockTransport(answer), first_pause_s=0)


def fault(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"error_message": json.dumps({"faultcode": "Client", "faultstring": text})})


def node(name: str, state: str = "available") -> dict[str, object]:
    return {"uuid": f"uuid-{name}", "name": name, "provision_state": state}


async def test_requests_carry_the_microversion_and_credentials() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=node("a"))

    assert (await client(answer).node("a")) == Node(uuid="uuid-a", name="a", provision_state="available")
    assert seen[0].headers["X-OpenStack-Ironic-API-Version"] == "1.81"
    assert seen[0].headers["Authorization"].startswith("Basic ")
    assert "last_error" in seen[0].url.params["fields"]


async def test_all_nodes_come_page_by_page() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("marker") == "uuid-b":
            return httpx.Response(200, json={"nodes": [node("c")]})
        return httpx.Response(200, json={"nodes": [node("a"), node("b")], "next": "https://elsewhere/v1/nodes?..."})

    assert list(await client(answer).nodes()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("status", "text", "tries"),
    [
        (503, "no free conductor worker", 3),
        (409, "Node a is locked by host lab, please retry after the current operation is completed.", 3),
        (409, "A node with name a already exists.", 1),
        (400, "invalid state", 1),
    ],
)
async def test_only_not_now_is_tried_again_for_a_request_that_acts(status: int, text: str, tries: int) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202) if len(asked) == 3 else fault(status, text)

    try:
        await client(answer).provision("a", "active")
    except IronicError as error:
        assert error.reason == text
        assert error.status == status
    assert len(asked) == tries


async def test_a_broken_connection_is_tried_again_only_for_reads() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if len(asked) < 3:
            raise httpx.ReadError("connection reset")
        return httpx.Response(200, json=node("a"))

    assert await client(answer).node("a") is not None
    assert asked == ["GET"] * 3
    asked.clear()
    with pytest.raises(IronicError, match="Ironic does not answer"):
        await client(answer).provision("a", "active")
    assert asked == ["PUT"], "it may have arrived: the caller looks at the node first"


async def test_refused_credentials_name_the_file_and_not_the_secret() -> None:
    with pytest.raises(IronicError) as failure:
        await client(lambda request: fault(401, "Authorization required")).node("a")
    assert "credentials.ironic" in str(failure.value)
    assert "secret-word" not in str(failure.value)


async def test_what_is_not_there_is_none_and_deleting_it_is_no_error() -> None:
    ironic = client(lambda request: fault(404, "Node a could not be found."))
    assert await ironic.node("a") is None
    assert await ironic.inventory("a") is None
    await ironic.delete_node("a")


def test_an_inventory_is_read_from_the_agents_report() -> None:
    found = Inventory.from_api(
        {
            "interfaces": [{"name": "eth0", "mac_address": "02:1A:B0:01:01:00"}, {"name": "tap", "mac_address": None}],
            "system_vendor": {"serial_number": "LABR01T01"},
        }
    )
    assert found == Inventory(serial="LABR01T01", macs=frozenset({"02:1a:b0:01:01:00"}))


async def test_all_who_wait_share_one_loop_of_requests() -> None:
    polls = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal polls
        polls += 1
        return httpx.Response(200, json={"nodes": [node(f"t{i}", f"state{polls}") for i in range(50)]})

    watch = NodeWatch(client(answer), poll_s=0)

    async def wait(name: str) -> Node | None:
        return await watch.until(name, lambda n: n is not None and n.provision_state == "state4", 5)

    await asyncio.gather(*(wait(f"t{i}") for i in range(50)))
    assert polls == 4
    await watch.close()


async def test_a_wait_ends_with_its_time_and_with_the_loss_of_ironic() -> None:
    watch = NodeWatch(client(lambda request: httpx.Response(200, json={"nodes": []})), poll_s=0.01)
    with pytest.raises(TimeoutError):
        await watch.until("a", lambda n: n is not None, 0.05)
    lost = NodeWatch(client(lambda request: fault(500, "database is locked up")), poll_s=0)
    with pytest.raises(DeviceError, match="database"):
        await lost.until("a", lambda n: True, 5)


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        ("Redfish exception occurred. Error: HTTP GET https://b/redfish/v1/ returned code 401. x", "bmc-credentials"),
        ("AccessError: HTTP POST https://b/redfish/v1/SessionService returned code 403", "bmc-credentials"),
        ("Redfish connection failed for node u: Unable to connect to https://b. Error: x", "bmc-unreachable"),
        ("SSLError(SSLCertVerificationError(1, 'certificate verify failed: self-signed'))", "bmc-certificate"),
        ("Validation of image href http://i/a.raw failed, reason: Got HTTP code 404 instead of 200", "image-missing"),
        ("Image checksum verification failed: expected a, got b", "image-differs"),
        ("Timeout reached while waiting for callback for node u", "no-call-back"),
        ("Timeout reached while cleaning the node. Please check if the ramdisk", "no-call-back"),
        ("the disk is on fire", "deployment-failed"),
        (None, "deployment-failed"),
    ],
)
def test_ironics_words_become_a_cause(reason: str | None, rule: str) -> None:
    problem = diagnose("t01", "deployment", reason)
    assert problem.rule == rule
    assert "docs/runbooks/HostDoesNotDeploy.md" in (problem.remedy or "")
