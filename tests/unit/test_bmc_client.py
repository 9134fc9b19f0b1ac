"""The Redfish client against the simulated fleet over real HTTPS: each way to fail has its own error."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from components.clients.bmc.redfish import BmcClients, RedfishBmc
from components.engine.bring_up.bmc import (
    BusyError,
    DroppedError,
    FaultError,
    MalformedError,
    PasswordRefusedError,
    RefusedError,
    SilentError,
    UntrustedError,
)
from components.engine.pace import Pace
from components.plan.bring_up.work import EndpointWork
from components.spec.catalogue.firmware import Endpoint
from lab.fleet import package
from lab.fleet.clock import Clock
from lab.fleet.describe import describe
from lab.fleet.fleet import Fleet
from lab.fleet.pki import Authority
from tests.fleet_world import TRAY, free_port, scenario, served

INVENTORY = "UpdateService/FirmwareInventory"


def work(fleet: Fleet, name: str = TRAY, *, scheme: str = "https") -> EndpointWork:
    entry = fleet.endpoints[name].entry
    return EndpointWork(
        name=name,
        place=name.partition("/")[2],
        kind=Endpoint(entry.kind),
        serial=entry.serial,
        address=f"{scheme}://{entry.bmc_address}:{entry.bmc_port}",
    )


@asynccontextmanager
async def there(folder: Path, *, other_ca: bool = False, **changes: Any) -> AsyncGenerator[tuple[Fleet, RedfishBmc]]:
    """A fleet over HTTPS and a client of its first tray, with the factory's password."""
    fleet = Fleet(describe(1, port=free_port()), scenario(**changes), None, Clock(600))
    ca = Authority(folder / "other" if other_ca else folder / "tls").certificate
    async with (
        served(fleet, tls=folder / "tls"),
        BmcClients(Pace(), ssl.create_default_context(cafile=ca), answer_s=1) as clients,
    ):
        bmc = clients.connect(work(fleet))
        bmc.use("root", fleet.endpoints[TRAY].entry.bmc_password)
        yield fleet, bmc


def fault(name: str, **more: Any) -> dict[str, Any]:
    return {"faults": [{"fault": name, "endpoints": [TRAY], **more}]}


async def test_a_resource_and_a_collection_with_its_members_are_read_over_one_kept_connection(tmp_path: Path) -> None:
    async with there(tmp_path) as (fleet, bmc):
        system = await bmc.get("Systems/System_0")
        inventory = await bmc.get(INVENTORY, expand=True)
        assert system["SerialNumber"] == fleet.endpoints[TRAY].entry.serial
        assert {m["Id"]: m["Version"] for m in inventory["Members"]}["TPM_Firmware"] == "15.23"


async def test_a_certificate_of_another_authority_is_not_trusted_and_nothing_is_sent(tmp_path: Path) -> None:
    async with there(tmp_path, other_ca=True) as (fleet, bmc):
        with pytest.raises(UntrustedError):
            await bmc.get("Systems/System_0")
        state = fleet.endpoints[TRAY].state
        assert state is None or state.requests == 0


async def test_a_wrong_password_is_refused_once_and_is_in_no_text(tmp_path: Path) -> None:
    async with there(tmp_path) as (_, bmc):
        bmc.use("root", "not-the-password")
        with pytest.raises(PasswordRefusedError) as refused:
            await bmc.get("Systems/System_0")
        assert "not-the-password" not in f"{refused.value!r} {refused.value}"


async def test_a_password_is_changed_and_the_new_one_opens(tmp_path: Path) -> None:
    async with there(tmp_path, factory_password_must_change=True) as (fleet, bmc):
        with pytest.raises(RefusedError) as closed:
            await bmc.get("Systems/System_0")
        assert closed.value.status == 403
        await bmc.patch("AccountService/Accounts/root", {"Password": "New-Password-1"})
        bmc.use("root", "New-Password-1")
        assert (await bmc.get("Systems/System_0"))["Id"] == "System_0"
        assert fleet.ledger()[TRAY] == {"password_change": 1}


async def test_what_a_bmc_says_of_a_refusal_is_told_without_the_password_in_it(tmp_path: Path) -> None:
    async with there(tmp_path) as (_, bmc):
        with pytest.raises(RefusedError, match="8 to 64 characters"):
            await bmc.patch("AccountService/Accounts/root", {"Password": "short"})
        with pytest.raises(RefusedError) as refused:
            await bmc.patch("Systems/System_0/Bios/Settings", {"Attributes": {"NoSuchThing": 1}})
        assert "NoSuchThing" in str(refused.value)


async def test_what_is_not_there_is_told_by_its_status(tmp_path: Path) -> None:
    async with there(tmp_path) as (_, bmc):
        with pytest.raises(RefusedError) as missing:
            await bmc.get("Systems/Nobody")
        assert missing.value.status == 404


async def test_a_package_is_pushed_from_memory_or_from_its_file_and_becomes_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "compute_tray.fwpkg"
    path.write_bytes(package.write({0x0010: "25.08-9"}))
    for most in (1 << 20, 0):
        monkeypatch.setattr("components.clients.bmc.redfish.SMALL_BYTES", most)
        async with there(tmp_path) as (_, bmc):
            task = await bmc.push("UpdateService/update-multipart", path)
            assert (await bmc.get(task))["TaskState"] in ("Pending", "Running", "Completed")
            with pytest.raises(BusyError) as busy:
                await bmc.push("UpdateService/update-multipart", path)
            assert busy.value.is_refused
            assert busy.value.retry_after_s is not None


@pytest.mark.parametrize(
    ("faults", "error", "is_refused"),
    [
        (fault("dead", by="silence"), SilentError, False),
        (fault("dead", by="reset"), DroppedError, False),
        (fault("answer_lost", rate=1), DroppedError, False),
        (fault("errors", rate=1, statuses=[500]), FaultError, False),
        (fault("errors", rate=1, statuses=[503]), BusyError, True),
    ],
    ids=["silent", "reset", "answer lost", "500", "503"],
)
async def test_each_way_to_fail_says_whether_the_request_may_have_been_carried_out(
    tmp_path: Path, faults: dict[str, Any], error: type[Any], is_refused: bool
) -> None:
    async with there(tmp_path, **faults) as (_, bmc):
        with pytest.raises(error) as failed:
            await bmc.get("Systems/System_0")
        assert failed.value.is_refused is is_refused
        (problem,) = failed.value.problems
        assert (problem.path, problem.remedy) == (TRAY, "docs/runbooks/BmcDoesNotAnswer.md")


async def test_no_connection_at_all_is_silence_in_which_nothing_was_done(tmp_path: Path) -> None:
    fleet = Fleet(describe(1, port=free_port()), scenario(), None, Clock(1))
    async with BmcClients(Pace(), None) as clients:
        with pytest.raises(SilentError) as silent:
            await clients.connect(work(fleet, scheme="http")).get("", anonymous=True)
        assert silent.value.is_refused
    fleet.close()


async def test_an_answer_that_is_no_json_object_is_malformed(tmp_path: Path) -> None:
    async with there(tmp_path) as (_, bmc):
        with pytest.raises(MalformedError, match="no JSON"):
            await bmc.get("$metadata")
