"""What is seen of a tray, and what the check makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.checks.result import Status
from components.checks.substrate import judge_host, judge_node
from components.clients.host import HostIdentity
from components.clients.ironic_model import Node
from components.clients.ssh import HostKeyError, SshError
from components.errors import DeviceError, Problem
from tests.regions import lab, plan_of

RACK = plan_of(lab()).racks[0]
WORKER = next(h for h in RACK.hosts if h.name == "lab-r01-t02")
SPARE = next(h for h in RACK.hosts if h.name == "lab-r01-t04")
ACTIVE = Node(
    uuid="u",
    name=WORKER.name,
    provision_state="active",
    power_state="power on",
    instance_info={"image_os_hash_value": RACK.image_sha256},
)
OFF = Node(uuid="u", name=SPARE.name, provision_state="available", power_state="power off")


def test_a_host_and_a_spare_as_planned_are_ok() -> None:
    results = [
        *judge_node(WORKER, ACTIVE, RACK),
        *judge_host(WORKER, HostIdentity(hostname=WORKER.name, image_sha256=RACK.image_sha256), RACK),
        *judge_node(SPARE, OFF, RACK),
    ]
    assert [r.status for r in results] == [Status.OK] * 7
    assert len({r.name for r in results}) == 7
    assert not any(r.remedy for r in results)


@pytest.mark.parametrize(
    ("node", "failing", "found"),
    [
        (None, "substrate.ironic", "not enrolled"),
        (
            replace(ACTIVE, provision_state="deploy failed", last_error="no call-back"),
            "substrate.ironic",
            "deploy failed: no call-back",
        ),
        (
            replace(ACTIVE, maintenance=True, maintenance_reason="memory test"),
            "substrate.ironic",
            "active, in maintenance: memory test",
        ),
        (replace(ACTIVE, power_state="power off"), "substrate.power", "power off"),
        (replace(ACTIVE, power_state=None), "substrate.power", "unknown"),
        (replace(ACTIVE, instance_info={"image_os_hash_value": "f00"}), "substrate.deployed", "f00"),
    ],
)
def test_what_ironic_shows_otherwise_fails_with_both_values(node: Node | None, failing: str, found: str) -> None:
    bad = [r for r in judge_node(WORKER, node, RACK) if r.status is not Status.OK]
    assert [(r.name, r.found) for r in bad] == [(f"{failing}.{WORKER.name}", found)]
    assert all("docs/runbooks/HostDoesNotDeploy.md" in (r.remedy or "") for r in bad)


def test_a_spare_that_is_on_fails() -> None:
    bad = [r for r in judge_node(SPARE, replace(OFF, power_state="power on"), RACK) if r.status is not Status.OK]
    assert [(r.name, r.expected) for r in bad] == [("substrate.power.lab-r01-t04", "power off")]


@pytest.mark.parametrize(
    ("answer", "name", "found"),
    [
        (
            SshError("x", [Problem(path="172.30.0.66", message="no answer within the time limit")]),
            "substrate.ssh",
            "no answer: no answer within the time limit",
        ),
        (
            HostKeyError("x", [Problem(path="172.30.0.66", message="the host key is not the pinned one", found="S")]),
            "substrate.ssh",
            "another host key: the host key is not the pinned one: S",
        ),
        (HostIdentity(hostname="other", image_sha256=RACK.image_sha256), "substrate.ssh", "it is other"),
        (HostIdentity(hostname=WORKER.name, image_sha256=""), "substrate.image", "no mark of an image"),
        (HostIdentity(hostname=WORKER.name, image_sha256="beef"), "substrate.image", "beef"),
    ],
)
def test_what_a_host_says_otherwise_fails(answer: HostIdentity | DeviceError, name: str, found: str) -> None:
    bad = [r for r in judge_host(WORKER, answer, RACK) if r.status is not Status.OK]
    assert [(r.name, r.found) for r in bad] == [(f"{name}.{WORKER.name}", found)]
