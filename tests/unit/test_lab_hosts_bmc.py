"""The Redfish service of a simulated machine: who may ask, what it shows, what it changes."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from lab import wiring
from lab.bmc import redfish
from lab.bmc.driver import MACHINE, Systems, system_uuid
from lab.bmc.server import Front
from lab.context import Lab
from lab.home import Home
from lab.hosts import events, power, state
from lab.hosts.state import Device, Override
from lab.wiring import Machine
from tests.regions import ROOT


@pytest.fixture(scope="module")
def app_lab(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Lab]:
    """The application and its lab; the emulator can be set up only once in a process."""
    home = Home(path=tmp_path_factory.mktemp("lab"))
    lab = Lab(home, wiring.load(ROOT / "tests" / "golden" / "lab" / "wiring.json"))
    return redfish.application(lab), lab


@pytest.fixture
def lab(app_lab: tuple[Any, Lab]) -> Lab:
    return app_lab[1]


@pytest.fixture
def machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Machine:
    def without_power(_lab: Lab, _machine: Machine) -> bool:
        return False

    monkeypatch.setattr(power, "is_on", without_power)  # a lab may run on this machine
    found = lab.wiring.machines[0]
    state.update(power.place(lab, found).directory, lambda _: state.State())
    return found


@pytest.fixture
def client(app_lab: tuple[Any, Lab], machine: Machine) -> FlaskClient:
    """A client of the first machine's BMC."""
    client: FlaskClient = app_lab[0].test_client()
    client.environ_base[MACHINE] = machine  # pyright: ignore[reportArgumentType]
    return client


def system(machine: Machine) -> str:
    return f"/redfish/v1/Systems/{system_uuid(machine)}"


def test_a_bmc_shows_the_machine_that_it_is_built_into_and_no_other(client: FlaskClient, lab: Lab) -> None:
    members = client.get("/redfish/v1/Systems").get_json()["Members"]
    assert members == [{"@odata.id": system(lab.wiring.machines[0])}]
    assert client.get(system(lab.wiring.machines[1])).status_code == 404


def test_a_system_tells_its_serial_power_and_memory(client: FlaskClient, machine: Machine) -> None:
    found = client.get(system(machine)).get_json()
    assert found["SerialNumber"] == machine.serial
    assert found["PowerState"] == "Off"
    assert found["MemorySummary"]["TotalSystemMemoryGiB"] == machine.memory_mib / 1024
    assert found["Boot"]["BootSourceOverrideEnabled"] == "Disabled"
    assert "Nmi" not in found["Actions"]["#ComputerSystem.Reset"]["ResetType@Redfish.AllowableValues"]


def test_a_system_tells_the_macs_of_all_its_ports(client: FlaskClient, machine: Machine) -> None:
    members = client.get(f"{system(machine)}/EthernetInterfaces").get_json()["Members"]
    macs = [client.get(member["@odata.id"]).get_json()["MACAddress"] for member in members]
    assert macs == [nic.mac for nic in machine.nics]


@pytest.mark.parametrize("enabled", [Override.ONCE, Override.CONTINUOUS])
def test_a_boot_override_counts_as_long_as_was_asked(
    client: FlaskClient, machine: Machine, lab: Lab, enabled: Override
) -> None:
    boot = {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": str(enabled)}
    assert client.patch(system(machine), json={"Boot": boot}).status_code == 204
    settings = state.load(power.place(lab, machine).directory)
    assert (settings.target, settings.enabled) == (Device.CD, enabled)
    found = client.get(system(machine)).get_json()["Boot"]
    assert {key: found[key] for key in boot} == boot


def test_a_boot_override_can_be_disabled(client: FlaskClient, machine: Machine, lab: Lab) -> None:
    client.patch(
        system(machine), json={"Boot": {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}}
    )
    assert client.patch(system(machine), json={"Boot": {"BootSourceOverrideEnabled": "Disabled"}}).status_code == 204
    assert state.load(power.place(lab, machine).directory).enabled is Override.DISABLED


@pytest.mark.parametrize(
    "boot",
    [{"BootSourceOverrideTarget": "Usb"}, {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Often"}],
)
def test_what_a_machine_cannot_boot_is_refused(client: FlaskClient, machine: Machine, boot: dict[str, str]) -> None:
    answer = client.patch(system(machine), json={"Boot": boot})
    assert answer.status_code == 400
    assert "allowed are" in answer.get_json()["error"]["message"]


def test_a_reset_that_a_machine_cannot_do_is_refused(client: FlaskClient, machine: Machine) -> None:
    reset = client.post(f"{system(machine)}/Actions/ComputerSystem.Reset", json={"ResetType": "Nmi"})
    assert reset.status_code >= 400
    assert "not supported" in reset.get_json()["error"]["message"]


def test_a_medium_is_kept_when_the_emulator_deletes_its_download(
    app_lab: tuple[Any, Lab], machine: Machine, lab: Lab, tmp_path: Path
) -> None:
    download = tmp_path / "boot.iso"
    download.write_bytes(b"medium")
    directory = power.place(lab, machine).directory
    systems = Systems(lab)
    with app_lab[0].test_request_context(environ_overrides={MACHINE: machine}):
        systems.set_boot_image(system_uuid(machine), "Cd", str(download))
        download.unlink()
        assert (directory / "cd.iso").read_bytes() == b"medium"
        assert state.load(directory).medium == "cd.iso"
        systems.set_boot_image(system_uuid(machine), "Cd")
    assert not (directory / "cd.iso").exists()
    assert state.load(directory).medium is None
    actions = events.path(lab.home).read_text()
    assert "media_insert" in actions
    assert "media_eject" in actions


CREDENTIALS = {"username": "operator", "password": "secret"}


def ask(path: str, authorization: str | None, machine: Machine) -> tuple[str, dict[str, Any]]:
    """Status of an answer, and the environment that the application behind the BMC saw."""
    seen: dict[str, Any] = {}
    statuses: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return [b""]

    environ: dict[str, Any] = {"PATH_INFO": path}
    if authorization is not None:
        environ["HTTP_AUTHORIZATION"] = authorization
    list(Front(app, machine, CREDENTIALS)(environ, lambda status, _: statuses.append(status)))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return statuses[0], seen


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize("given", [None, "", "Bearer x", basic("operator:wrong"), basic("other:secret"), "Basic \xff"])
def test_without_the_password_only_the_root_is_shown(given: str | None, machine: Machine) -> None:
    assert ask("/redfish/v1/Systems", given, machine)[0].startswith("401")
    assert ask("/redfish/v1/", given, machine)[0].startswith("200")


def test_with_the_password_the_request_is_for_this_bmcs_machine(machine: Machine) -> None:
    status, seen = ask("/redfish/v1/Systems", basic("operator:secret"), machine)
    assert status.startswith("200")
    assert seen[MACHINE] is machine
    assert "HTTP_AUTHORIZATION" not in seen, "the password goes no further"
