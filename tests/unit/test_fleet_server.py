"""A simulated fleet over real HTTP: addresses, TLS, broken connections, a standard client, a killed simulator."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import sushy

from lab.fleet import description
from lab.fleet.clock import Clock
from lab.fleet.describe import describe
from lab.fleet.fleet import Fleet
from tests.fleet_world import QUICK, SYSTEM, TRAY, basic, free_port, push_body, scenario, served
from tests.regions import ROOT

RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def live(racks: int = 1, state: Path | None = None, **changes: Any) -> Fleet:
    """A fleet at a port of its own, with a clock that runs."""
    return Fleet(describe(racks, port=free_port()), scenario(**changes), state, Clock(1000))


def client(fleet: Fleet, name: str = TRAY, *, scheme: str = "http", **options: Any) -> httpx.AsyncClient:
    entry = fleet.endpoints[name].entry
    url = f"{scheme}://{entry.bmc_address}:{entry.bmc_port}"
    headers = {"authorization": basic(entry.bmc_password)}
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=20, **options)


async def test_each_endpoint_answers_at_its_own_address_with_its_own_serial() -> None:
    f = live(2)
    async with served(f):
        for name in ("sim-r001/1", "sim-r001/18", "sim-r002/1"):
            async with client(f, name) as c:
                shown = (await c.get(SYSTEM)).json()
            assert shown["SerialNumber"] == f.endpoints[name].entry.serial
        stranger = f"http://127.64.77.1:{f.endpoints[TRAY].entry.bmc_port}/redfish/v1"
        async with httpx.AsyncClient(trust_env=False) as c:
            with pytest.raises(httpx.TransportError):
                await c.get(stranger)


async def test_tls_is_verified_against_the_fleets_authority_and_no_other(tmp_path: Path) -> None:
    f = live()
    async with served(f, tls=tmp_path):
        tls = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
        async with client(f, scheme="https", verify=tls) as c:
            assert (await c.get(SYSTEM)).status_code == 200
        async with client(f, scheme="https") as c:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await c.get(SYSTEM)
    assert not (tmp_path / "rack.pem").exists()


async def test_a_dropped_request_was_not_done_and_one_whose_answer_was_lost_was() -> None:
    dropped = {"fault": "dropped", "endpoints": [TRAY], "rate": 1}
    lost = {"fault": "answer_lost", "endpoints": ["sim-r001/2"], "rate": 1}
    f = live(faults=[dropped, lost])
    async with served(f) as control:
        for name in (TRAY, "sim-r001/2"):
            async with client(f, name) as c:
                with pytest.raises(httpx.TransportError):
                    await c.post(RESET, json={"ResetType": "On"})
        async with httpx.AsyncClient(trust_env=False) as c:
            assert (await c.get(f"{control}/ledger")).json() == {"sim-r001/2": {"power_on": 1}}


async def test_a_dead_endpoint_resets_the_connection_or_is_silent() -> None:
    reset = {"fault": "dead", "endpoints": [TRAY]}
    silent = {"fault": "dead", "endpoints": ["sim-r001/2"], "by": "silence"}
    f = live(faults=[reset, silent])
    async with served(f):
        async with client(f) as c:
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError)):
                await c.get(SYSTEM)
        async with client(f, "sim-r001/2") as c:
            with pytest.raises(httpx.ReadTimeout):
                await c.get(SYSTEM, timeout=0.3)


async def test_server_errors_come_at_their_rate_and_do_nothing() -> None:
    f = live(faults=[{"fault": "errors", "endpoints": [TRAY], "rate": 0.5, "statuses": [500, 502]}])
    async with served(f), client(f) as c:
        found = [(await c.post(RESET, json={"ResetType": "PowerCycle"})).status_code for _ in range(40)]
        assert set(found) == {204, 500, 502}
        assert sum(f.ledger()[TRAY].values()) == found.count(204)


async def test_a_bmc_that_is_asked_more_than_it_can_refuses_with_a_time_to_retry() -> None:
    slow = {"latency_s": {"p50": 0.2, "p99": 0.2}, "capacity": {"workers": 1, "queue": 1}}
    f = live(kinds={"compute_tray": slow})
    async with served(f), client(f) as c:
        answers = await asyncio.gather(*(c.get(SYSTEM) for _ in range(5)))
        statuses = sorted(a.status_code for a in answers)
        assert statuses[:2] == [200, 200]
        assert set(statuses[2:]) == {503}
        assert all("retry-after" in a.headers for a in answers if a.status_code == 503)


async def test_a_rack_that_loses_power_breaks_its_connections_and_refuses_new_ones() -> None:
    f = live(2)
    async with served(f) as control, client(f) as c, client(f, "sim-r002/1") as other:
        assert (await c.get(SYSTEM)).status_code == 200
        async with httpx.AsyncClient(trust_env=False) as hand:
            assert (await hand.post(f"{control}/racks/sim-r001", json={"power": "off"})).status_code == 204
            assert (await hand.post(f"{control}/racks/nobody", json={"power": "off"})).status_code == 404
            assert (await hand.post(f"{control}/racks/sim-r001", json={"power": "half"})).status_code == 400
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                await c.get(SYSTEM)
        assert (await other.get(SYSTEM)).status_code == 200


async def test_what_is_no_http_is_refused_and_the_endpoint_goes_on() -> None:
    f = live()
    entry = f.endpoints[TRAY].entry
    async with served(f):
        reader, writer = await asyncio.open_connection(str(entry.bmc_address), entry.bmc_port)
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        async with client(f) as c:
            assert (await c.get("/redfish")).json() == {"v1": "/redfish/v1/"}
            assert (await c.head("/redfish/v1/")).status_code == 200
            assert (await c.put(SYSTEM)).status_code == 405
            assert (await c.get(f"{SYSTEM}?$filter=x")).status_code == 501


async def test_sushy_reads_power_resets_and_sets_the_boot_target(tmp_path: Path) -> None:
    f = live()
    entry = f.endpoints[TRAY].entry

    def story() -> tuple[str, str, str]:
        library: Any = sushy  # its fields carry no types
        url, ca = f"https://{entry.bmc_address}:{entry.bmc_port}", str(tmp_path / "ca.crt")
        session = library.auth.SessionAuth("root", entry.bmc_password)
        root = library.Sushy(url, auth=session, verify=ca)
        system = root.get_system(SYSTEM)
        before = system.power_state.value
        system.set_system_boot_options(library.BootSource.UEFI_HTTP, enabled=library.BootSourceOverrideEnabled.ONCE)
        system.refresh(force=True)
        target = system.boot.target.value
        system.reset_system(library.ResetType.ON)
        told = before, target, system.bios.attributes["TPM"]
        session.close()  # else sushy does it when it is forgotten, and tries for half a minute
        return told

    async with served(f, tls=tmp_path):
        assert await asyncio.to_thread(story) == ("Off", "UefiHttp", "Disabled")
    assert f.endpoints[TRAY].state is not None
    assert f.ledger()[TRAY] == {"power_on": 1, "boot_set": 1}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_simulator_that_ends_in_the_middle_goes_on_with_its_tasks_and_its_ledger(
    tmp_path: Path, how: signal.Signals
) -> None:
    there = describe(1, port=free_port())
    (tmp_path / "fleet.json").write_text(description.dump(there))
    kinds = {"compute_tray": {"latency_s": QUICK, "flash_s": {"p50": 2000, "p99": 2000}}}
    behaviour = {"kinds": kinds, "factory_password_must_change": False, "time": {"compression": 1000}}
    (tmp_path / "scenario.yaml").write_text(json.dumps(behaviour))
    words = [sys.executable, "-m", "lab.fleet", "serve", "--description", tmp_path / "fleet.json"]
    words += ["--scenario", tmp_path / "scenario.yaml", "--state", tmp_path / "state"]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["endpoints"] == 71
        return process

    entry = there["sim-r001"]["1"]
    body, kind = push_body({0x10: "25.08-9"})
    headers = {"authorization": basic(entry.bmc_password)}
    url = f"http://{entry.bmc_address}:{entry.bmc_port}/redfish/v1"
    process = start()
    try:
        with httpx.Client(trust_env=False, headers=headers, timeout=20) as c:
            push = f"{url}/UpdateService/update-multipart"
            answer = c.post(push, content=body, headers={"content-type": kind})
            assert answer.status_code == 202
            process.send_signal(how)
            process.wait(10)
            process = start()
            end = time.monotonic() + 20
            while c.get(f"{url}/TaskService/Tasks/1").json()["TaskState"] != "Completed":
                assert time.monotonic() < end
                time.sleep(0.1)
    finally:
        process.terminate()
        process.wait(10)
    ledger = json.loads((tmp_path / "state" / "ledger.json").read_text())
    assert ledger["endpoints"] == {"sim-r001/1": {"flash": 1}}
    assert [e["detail"] for e in ledger["entries"]] == ["FW_BMC_0 25.08-9"]
