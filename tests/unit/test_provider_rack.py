"""A rack through a whole life against Ironic in memory: failures, kills, resumption, drift, deletion."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.clients.host import HostIdentity
from components.clients.hostkeys import ensure_host_key, region_hostkeys
from components.clients.ironic import Ironic
from components.engine.journal import Journal
from components.errors import DeviceError, Problem, RegionError
from components.provider import rack_trays
from components.provider.handler import Context, UnfinishedError
from components.provider.rack import RackHandler
from tests.fake_ironic import FakeIronic, KilledError, Machine

CA = Path(__file__).parents[1] / "fixtures" / "ca.crt"
SHA = "a" * 64
TRAYS = {"r01-t01": "active", "r01-t02": "active", "r01-t03": "available"}


def inputs(project: Path) -> dict[str, Any]:
    return {
        "rack": "r01",
        "protect": False,
        "ironic": {"url": "https://ironic.test:6385", "credentials": "file:ironic.json", "ca": "file:ca.crt"},
        "bmc_credentials": "file:bmc.json",
        "bmc_ca": "file:ca.crt",
        "image": {"name": "base", "url": "http://images.test/base.raw", "sha256": SHA, "format": "raw"},
        "trays": {name: tray(number, desired) for number, (name, desired) in enumerate(TRAYS.items(), 1)},
        "ssh_key": "file:ssh_key",
        "ntp": ["172.30.0.1"],
        "deploy_timeout_s": 5,
    }


def tray(number: int, desired: str) -> dict[str, Any]:
    return {
        "serial": f"SERIAL{number}",
        "bmc_url": f"https://172.30.0.{128 + number}:443",
        "boot_mode": "bios",
        "macs": {f"eth{nic}": f"02:00:00:00:0{number}:0{nic}" for nic in range(3)},
        "desired": desired,
        "oob": {"address": f"172.30.0.{64 + number}", "prefix": 24, "gateway": "172.30.0.1"},
        "hostname": f"r01-t0{number}",
        "dns": ["172.30.0.1"],
    }


class World:
    """The project, the rack's hardware, and runs of the provider."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.inputs = inputs(project)
        machines = {n: Machine(t["serial"], tuple(t["macs"].values())) for n, t in self.inputs["trays"].items()}
        self.ironic = FakeIronic(machines=machines)
        self.reports: list[str] = []
        self.silent_bmcs: set[str] = set()
        self.secret("ironic.json", json.dumps({"username": "region", "password": "ironic-secret"}))
        self.secret("bmc.json", json.dumps({"username": "operator", "password": "bmc-secret"}))
        self.secret("ssh_key", ensure_host_key(project / "keys" / "made", "operator").private)
        (project / "ca.crt").write_text(CA.read_text())

    def secret(self, name: str, content: str) -> None:
        path = self.project / name
        path.touch(0o600)
        path.write_text(content)

    def handler(self) -> RackHandler:
        return RackHandler(factory=lambda rack, context: self.client(), poll_s=0)

    def client(self) -> Ironic:
        return Ironic("https://ironic.test:6385", None, transport=self.ironic.transport(), first_pause_s=0)

    def journal(self) -> Journal:
        return Journal.open(self.project / ".region" / "lab" / "journal.db", scope="lab.substrate", wait_s=0)

    def context(self, journal: Journal) -> Context:
        return Context(project=self.project, region="lab", journal=journal, report=self.reports.append)

    async def create(self) -> dict[str, Any]:
        with self.journal() as journal:
            return (await self.handler().create("r01", self.inputs, self.context(journal))).outputs["trays"]

    async def update(self, new: dict[str, Any]) -> dict[str, Any]:
        with self.journal() as journal:
            outputs = await self.handler().update("r01", self.inputs, new, self.context(journal))
        self.inputs = new
        return outputs["trays"]

    async def delete(self) -> None:
        with self.journal() as journal:
            await self.handler().delete("r01", self.inputs, self.context(journal))

    def states(self) -> dict[str, str]:
        return {name: node["provision_state"] for name, node in self.ironic.nodes.items()}

    def changed(self, **trays: Any) -> dict[str, Any]:
        return copy.deepcopy(self.inputs) | trays


REACHED = {"r01-t01": "active", "r01-t02": "active", "r01-t03": "available"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=SHA)

    async def knock(tray: str, *_: object) -> None:
        if tray in world.silent_bmcs:
            problem = Problem(path=tray, message="the BMC does not answer", remedy="check its cable")
            raise DeviceError(problem.message, [problem])

    monkeypatch.setattr(rack_trays, "identify", identify)
    monkeypatch.setattr(rack_trays, "knock", knock)
    world = World(tmp_path)
    yield world


async def test_from_the_floor_to_hosts_and_a_spare_that_is_off(world: World) -> None:
    outputs = await world.create()
    assert world.states() == REACHED
    assert {name: tray["state"] for name, tray in outputs.items()} == REACHED
    assert outputs["r01-t01"]["image_sha256"] == SHA
    assert outputs["r01-t01"]["address"] == "172.30.0.65"
    assert outputs["r01-t03"]["image_sha256"] == ""
    assert world.ironic.nodes["r01-t03"]["power_state"] == "power off"
    assert [verb for name, verb in world.ironic.asked if name == "r01-t01"] == [
        "create",
        "manage",
        "inspect",
        "provide",
        "active",
    ]
    assert any("r01-t02: deployment, wait call-back" in line for line in world.reports)


async def test_a_host_learns_its_identity_from_the_config_drive(world: World) -> None:
    await world.create()
    drive = world.ironic.drives["r01-t01"]
    key = ensure_host_key(region_hostkeys(world.project, "lab"), "r01-t01")
    user = json.loads(drive["user_data"].removeprefix("#cloud-config\n"))
    assert drive["meta_data"]["hostname"] == "r01-t01"
    assert user["ssh_keys"]["ed25519_private"] == key.private
    assert {f["path"]: f["content"] for f in user["write_files"]} == {
        "/etc/gpuregion-image": json.dumps({"sha256": SHA}) + "\n",
        "/usr/local/share/ca-certificates/region-ca.crt": CA.read_text(),
        "/etc/resolv.conf": "nameserver 172.30.0.1\n",
    }
    network = drive["network_data"]["networks"][0]
    assert network["netmask"] == "255.255.255.0"
    assert network["routes"] == [], "a default route out of band would hide a broken fabric"
    agent = world.ironic.nodes["r01-t01"]["network_data"]["networks"][0]
    assert agent["routes"][0]["gateway"] == "172.30.0.1", "the agent has no other way to Ironic"
    pins = (world.project / ".region" / "lab" / "known_hosts").read_text()
    assert f"172.30.0.65 {key.public}\n" in pins


async def test_a_second_run_touches_nothing(world: World) -> None:
    await world.create()
    asked, history = list(world.ironic.asked), len(records(world))
    await world.create()
    assert world.ironic.asked == asked
    assert len(records(world)) == history


async def test_one_failing_tray_does_not_stop_the_others_and_a_rerun_after_the_cure_completes(world: World) -> None:
    world.ironic.failing["r01-t02", "active"] = "Timeout reached while waiting for callback for node 77"
    with pytest.raises(UnfinishedError) as failure:
        await world.create()
    text = str(failure.value)
    assert "1 of 3 trays did not get there, the others did" in text
    assert "r01-t02: deployment failed: the agent did not call back in time" in text
    assert "docs/runbooks/HostDoesNotDeploy.md" in text
    assert failure.value.so_far.outputs["trays"]["r01-t02"]["state"] == "deploy failed"
    assert world.states() == REACHED | {"r01-t02": "deploy failed"}

    changes = world.handler().unfinished(world.inputs, failure.value.so_far.outputs)
    assert [c.text for c in changes] == ["r01-t02: deploy: it is `deploy failed`"]
    world.ironic.failing.clear()
    await world.create()
    assert world.states() == REACHED
    assert world.ironic.count("provide") == 3, "nothing is cleaned again"
    assert world.ironic.count("active", "r01-t01") == 1


@pytest.mark.parametrize(
    ("verb", "error", "cause"),
    [
        (
            "manage",
            "Failed to get power state for node 7. Error: Redfish exception occurred. Error: HTTP GET"
            " https://172.30.0.130/redfish/v1/Systems/1 returned code 401. Base.1.0.GeneralError",
            "the BMC refused the credentials",
        ),
        (
            "manage",
            "Redfish connection failed for node 7: Unable to connect to https://172.30.0.130/redfish/v1/."
            " Error: HTTPSConnectionPool(host='172.30.0.130', port=443): Max retries exceeded",
            "the BMC does not answer",
        ),
        ("inspect", "timeout reached while inspecting the node", "the agent did not call back in time"),
        ("provide", "Timeout reached while cleaning the node.", "the agent did not call back in time"),
        (
            "active",
            "Failed to prepare to deploy: Validation of image href http://images.test/base.raw failed,"
            " reason: Got HTTP code 404 instead of 200 in response to HEAD request.",
            "the deploy image cannot be fetched",
        ),
        ("active", "something new", "deployment failed"),
    ],
)
async def test_each_failure_names_its_cause_and_is_cured_by_a_rerun(
    world: World, verb: str, error: str, cause: str
) -> None:
    world.ironic.failing["r01-t02", verb] = error
    with pytest.raises(UnfinishedError, match=cause):
        await world.create()
    assert world.states()["r01-t01"] == "active"
    world.ironic.failing.clear()
    await world.create()
    assert world.states() == REACHED


async def test_a_bmc_that_does_not_let_us_in_is_not_even_given_to_ironic(world: World) -> None:
    world.silent_bmcs.add("r01-t02")
    with pytest.raises(UnfinishedError, match="the BMC does not answer"):
        await world.create()
    assert set(world.states()) == {"r01-t01", "r01-t03"}
    world.silent_bmcs.clear()
    await world.create()
    assert world.states() == REACHED


async def test_an_image_that_is_refused_at_once_names_its_cause(world: World) -> None:
    world.ironic.refusing["r01-t01", "active"] = (
        "Validation of image href http://images.test/base.raw failed, reason: Got HTTP code 404 instead of 200"
    )
    with pytest.raises(UnfinishedError, match="publish the image again"):
        await world.create()
    world.ironic.refusing.clear()
    await world.create()
    assert world.states() == REACHED


async def test_another_machine_in_the_place_stops_that_tray_with_both_values(world: World) -> None:
    world.ironic.machines["r01-t02"].serial = "STRANGER"
    with pytest.raises(UnfinishedError) as failure:
        await world.create()
    problem = next(p for p in failure.value.problems if p.path == "r01-t02")
    assert (problem.rule, problem.found, problem.allowed) == ("serial-differs", "STRANGER", "SERIAL2")
    assert world.ironic.count("provide", "r01-t02") == 0, "a stranger's disk is not wiped"

    world.ironic.machines["r01-t02"].serial = "SERIAL2"  # the right tray is put in
    await world.create()
    assert world.states() == REACHED


async def test_a_network_card_that_is_not_there_stops_the_tray(world: World) -> None:
    world.ironic.machines["r01-t01"].macs = ("02:00:00:00:01:00", "02:00:00:00:01:01", "02:ff:ff:ff:ff:ff")
    with pytest.raises(UnfinishedError, match="no network card has 02:00:00:00:01:02"):
        await world.create()


async def test_a_deployment_that_hangs_is_started_anew_by_the_next_run(world: World) -> None:
    new = world.changed(deploy_timeout_s=0.2)
    world.ironic.hanging.add(("r01-t01", "active"))
    world.inputs = new
    with pytest.raises(UnfinishedError, match=r"deployment did not end in 0\.2 s"):
        await world.create()
    world.ironic.nodes["r01-t01"]["provision_updated_at"] = "2026-01-01T00:00:00+00:00"
    await world.create()
    assert world.states() == REACHED
    assert world.ironic.count("deleted", "r01-t01") == 1


async def test_ironic_out_of_reach_is_one_error_and_nothing_is_recorded(world: World) -> None:
    world.handler()
    bad = RackHandler(factory=lambda rack, context: Ironic("http://127.0.0.1:1", None, first_pause_s=0), poll_s=0)
    with world.journal() as journal, pytest.raises(DeviceError) as failure:
        await bad.create("r01", world.inputs, world.context(journal))
    assert not isinstance(failure.value, UnfinishedError)
    assert len(failure.value.problems) == 1
    assert "Ironic does not answer" in str(failure.value)


async def test_ironic_that_is_busy_is_asked_again(world: World) -> None:
    world.ironic.busy = 5
    await world.create()
    assert world.states() == REACHED


async def test_a_new_image_rebuilds_hosts_and_leaves_the_spare(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.create()
    other = "b" * 64
    new = world.changed(image={**world.inputs["image"], "sha256": other})
    texts = [c.text for c in world.handler().diff(world.inputs, new)]
    assert "undeploy r01-t01 (destructive): image changes from base aaaaaaaaaaaa to base bbbbbbbbbbbb" in texts
    assert not any("r01-t03" in text for text in texts)

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=other)

    monkeypatch.setattr(rack_trays, "identify", identify)
    outputs = await world.update(new)
    assert outputs["r01-t02"]["image_sha256"] == other
    assert world.ironic.count("deleted") == 2
    assert world.ironic.count("inspect") == 3, "the machines are known"


async def test_a_change_that_failed_and_is_taken_back_still_shows_what_it_left(world: World) -> None:
    await world.create()
    old = world.inputs
    new = world.changed()
    new["trays"]["r01-t01"]["hostname"] = "renamed"
    world.ironic.failing["r01-t01", "active"] = "Timeout reached while waiting for callback for node 77"
    with pytest.raises(UnfinishedError) as failure:
        await world.update(new)
    left = failure.value.so_far.outputs["trays"]["r01-t01"]
    assert (left["state"], left["left"]) == ("deploy failed", "deploy")
    texts = [c.text for c in world.handler().diff(new, old)]
    assert "undeploy r01-t01 (destructive): hostname changes from renamed to r01-t01" in texts
    world.ironic.failing.clear()
    await world.update(old)
    assert world.states() == REACHED


async def test_a_tray_that_cannot_be_removed_stays_in_the_record(world: World) -> None:
    await world.create()
    new = world.changed()
    del new["trays"]["r01-t02"]
    world.ironic.refusing["r01-t02", "deleted"] = "Redfish connection failed for node 7: Unable to connect to https://b"
    with pytest.raises(DeviceError) as failure:
        await world.update(new)
    assert not isinstance(failure.value, UnfinishedError), "new inputs would not name the tray any more"
    world.ironic.refusing.clear()
    await world.update(new)
    assert set(world.states()) == {"r01-t01", "r01-t03"}


async def test_hosts_in_service_are_taken_away_within_the_racks_budget(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in world.inputs["trays"]:
        world.inputs["trays"][name]["desired"] = "active"
    await world.create()
    new = world.changed(image={**world.inputs["image"], "sha256": "b" * 64})
    least = 3

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256="b" * 64)

    def watch(number: int, when: str) -> None:
        nonlocal least
        least = min(least, sum(state == "active" for state in world.states().values()))

    monkeypatch.setattr(rack_trays, "identify", identify)
    world.ironic.on_request = watch
    await world.update(new)
    assert least == 1, "two of three at a time"
    assert set(world.states().values()) == {"active"}


async def test_a_spare_takes_up_service_and_a_host_becomes_a_spare(world: World) -> None:
    await world.create()
    new = world.changed()
    new["trays"]["r01-t01"]["desired"], new["trays"]["r01-t03"]["desired"] = "available", "active"
    await world.update(new)
    assert world.states() == {"r01-t01": "available", "r01-t02": "active", "r01-t03": "active"}
    assert world.ironic.count("active", "r01-t02") == 1


async def test_an_exchanged_machine_and_a_removed_tray(world: World) -> None:
    await world.create()
    new = world.changed()
    del new["trays"]["r01-t03"]
    new["trays"]["r01-t02"]["serial"] = "SERIAL9"
    old_uuid = world.ironic.nodes["r01-t02"]["uuid"]
    world.ironic.machines["r01-t02"].serial = "SERIAL9"
    await world.update(new)
    assert world.states() == {"r01-t01": "active", "r01-t02": "active"}
    assert world.ironic.nodes["r01-t02"]["uuid"] != old_uuid


async def test_an_exchange_is_not_made_again_because_another_tray_failed(world: World) -> None:
    await world.create()
    new = world.changed()
    new["trays"]["r01-t02"]["serial"] = world.ironic.machines["r01-t02"].serial = "SERIAL9"
    new["trays"]["r01-t03"]["desired"] = "active"
    world.ironic.failing["r01-t03", "active"] = "Timeout reached while waiting for callback for node 77"
    with pytest.raises(UnfinishedError, match="r01-t03"):
        await world.update(new)
    world.ironic.failing.clear()
    await world.update(new)
    assert world.ironic.count("delete", "r01-t02") == 1
    assert world.ironic.count("active", "r01-t02") == 2


async def test_a_spare_that_somebody_switched_on_is_switched_off(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t03"]["power_state"] = "power on"
    await world.create()
    assert world.ironic.nodes["r01-t03"]["power_state"] == "power off"


async def test_a_tray_in_maintenance_by_an_operator_is_left_alone(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t03"].update(maintenance=True, maintenance_reason="memory test", power_state="power on")
    with pytest.raises(UnfinishedError, match="memory test"):
        await world.create()


async def test_a_tray_that_somebody_else_works_on_is_named_and_left(world: World) -> None:
    await world.create()
    world.ironic.nodes["r01-t01"]["provision_state"] = "rescue"
    with pytest.raises(UnfinishedError, match="somebody else is at work on this tray"):
        await world.create()


async def test_delete_undeploys_and_forgets_and_tolerates_absence(world: World) -> None:
    await world.create()
    await world.delete()
    assert world.ironic.nodes == {}
    assert world.ironic.count("deleted") == 2
    await world.delete()


async def test_a_protected_rack_is_not_deleted(world: World) -> None:
    await world.create()
    world.inputs["protect"] = True
    with pytest.raises(RegionError, match="protected"):
        await world.delete()
    assert world.states() == REACHED


async def test_read_reports_drift_and_absence(world: World) -> None:
    with world.journal() as journal:
        assert await world.handler().read("r01", world.inputs, world.context(journal)) is None
    outputs = await world.create()
    world.ironic.nodes["r01-t01"].update(provision_state="available", instance_info={})
    state = copy.deepcopy(world.inputs)
    for name, output in outputs.items():
        state["trays"][name] |= output
    with world.journal() as journal:
        found = await world.handler().read("r01", state, world.context(journal))
    assert found is not None
    assert found["trays"]["r01-t01"]["state"] == "available"
    assert [c.text for c in world.handler().unfinished(world.inputs, found)] == ["r01-t01: deploy: it is `available`"]


async def test_secrets_reach_ironic_and_nothing_else(world: World) -> None:
    world.ironic.failing["r01-t02", "manage"] = "Cannot log in as operator:bmc-secret, HTTP GET / returned code 401"
    with pytest.raises(UnfinishedError) as failure:
        await world.create()
    assert world.ironic.nodes["r01-t01"]["driver_info"]["redfish_password"] == "bmc-secret"
    written = str(failure.value) + str(failure.value.so_far.outputs) + "".join(world.reports)
    written += "".join(str(record) for record in records(world))
    assert "bmc-secret" not in written


# Kills: the process dies at a request, before it reached Ironic or after.


class Killer:
    """Raises KilledError at one request, once."""

    def __init__(self, number: int, when: str) -> None:
        self.at = (number, when)
        self.done = False

    def __call__(self, number: int, when: str) -> None:
        if not self.done and (number, when) == self.at:
            self.done = True
            raise KilledError


async def requests_of_a_run(world: World) -> int:
    await world.create()
    return world.ironic.requests


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(2, 46, 3))
async def test_a_run_killed_anywhere_is_completed_by_the_next_without_repeating(
    world: World, number: int, when: str
) -> None:
    del world.inputs["trays"]["r01-t02"]
    killer = Killer(number, when)
    world.ironic.on_request = killer
    with pytest.raises(KilledError):
        await world.create()
    await world.create()
    assert killer.done
    assert world.states() == {"r01-t01": "active", "r01-t03": "available"}
    for verb, trays in (("create", 2), ("provide", 2), ("active", 1)):
        assert world.ironic.count(verb) == trays, f"{verb} was repeated"
    open_intents = [r for r in records(world) if r.outcome is None]
    assert not open_intents, "every intent of the killed run is resolved"


async def test_the_kill_points_lie_within_a_run(world: World) -> None:
    del world.inputs["trays"]["r01-t02"]
    assert await requests_of_a_run(world) >= 46, "the points of the test above are spread over a whole run"


@pytest.mark.parametrize("number", [3, 8, 12, 16, 20])
async def test_a_rebuild_killed_anywhere_wipes_once(world: World, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.create()
    other = "b" * 64
    new = world.changed(image={**world.inputs["image"], "sha256": other})

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=other)

    monkeypatch.setattr(rack_trays, "identify", identify)
    world.ironic.on_request = Killer(world.ironic.requests + number, "after")
    with pytest.raises(KilledError):
        await world.update(new)
    await world.update(new)
    assert world.states() == REACHED
    assert (world.ironic.count("deleted"), world.ironic.count("active")) == (2, 4)


def records(world: World) -> list[Any]:
    return Journal.read_history(world.project / ".region" / "lab" / "journal.db", limit=1000)
