"""Transactions on the lab's four real switches. Every test leaves them as the region describes them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from components.checks.fabric import check_fabric
from components.checks.result import CheckResult, Status
from components.clients.secrets import resolve
from components.clients.ssh import SshAccess, SshConnection
from components.clients.switch import FrrSwitch
from components.engine.journal import Journal
from components.engine.transaction_error import TransactionError
from components.errors import DeviceError
from components.plan.model import RegionPlan
from components.plan.resources import CONFIRM_IN_S, switch_group_inputs
from components.provider.handler import Context
from components.provider.switch_config import SwitchConfigHandler
from stacks.project import ROOT, load_hardware

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BRING = ROOT / "tests" / "fixtures" / "fabric" / "bring.py"
PROBE = "ip prefix-list PROBE seq 5 permit 10.255.255.255/32"
KILLS = 10
Inputs = dict[str, Any]


class Fabric:
    """The lab's switches, reached as the provider reaches them."""

    def __init__(self, plan: RegionPlan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.journal_path = folder / "journal.db"
        self.planned: Inputs = switch_group_inputs(plan)
        ssh = self.planned["ssh"]
        self.access = SshAccess.from_references(
            ROOT, user=ssh["user"], private_key=ssh["private_key"], known_hosts=ssh["known_hosts"]
        )

    def switch(self, name: str) -> FrrSwitch:
        return FrrSwitch(name, self.planned["switches"][name]["address"], self.access)

    def changed(self, edits: dict[str, Callable[[str], str]], **settings: Any) -> Inputs:
        """The planned inputs with the configurations of some switches edited."""
        switches = {
            name: {**s, "config": edits[name](s["config"]) if name in edits else s["config"]}
            for name, s in self.planned["switches"].items()
        }
        return {**self.planned, "switches": switches, **settings}

    async def bring(self, inputs: Inputs) -> str:
        """Apply; returns what the provider reported."""
        said: list[str] = []
        with Journal.open(self.journal_path, scope="fabric") as journal:
            context = Context(project=ROOT, region="lab", journal=journal, report=said.append)
            await SwitchConfigHandler().create("fabric", inputs, context)
        return said[-1]

    async def refusal(self, inputs: Inputs) -> str:
        with pytest.raises(TransactionError) as caught:
            await self.bring(inputs)
        return str(caught.value)

    async def run(self, name: str, command: str) -> str:
        """As an operator types it on the switch."""
        connection = SshConnection(self.planned["switches"][name]["address"], self.access)
        try:
            done = await connection.run(command)
        finally:
            await connection.close()
        assert done.code == 0, f"{name}: {command}: {done.err}"
        return done.out

    async def texts(self) -> dict[str, tuple[str, str]]:
        """Startup and running configuration of every switch."""
        command = "cat /etc/frr/frr.conf; echo =====; vtysh -c 'show running-config'"
        outs = await asyncio.gather(*(self.run(n, command) for n in self.planned["switches"]))
        return {n: _pair(out) for n, out in zip(self.planned["switches"], outs, strict=True)}

    async def failing(self) -> list[CheckResult]:
        return [r for r in await check_fabric(self.plan, ROOT) if r.status is Status.FAIL]

    async def failing_settled(self, within_s: float = 30) -> list[CheckResult]:
        """What still fails once it has had the time to come up."""
        deadline = time.monotonic() + within_s
        while True:
            failing = await self.failing()
            if not failing or time.monotonic() > deadline:
                return failing
            await asyncio.sleep(1)


def _pair(out: str) -> tuple[str, str]:
    startup, _, running = out.partition("=====\n")
    return startup, running


def add_probe(text: str) -> str:
    """One more line that no route depends on."""
    return text.replace("\nbfd\n", f"\n{PROBE}\n!\nbfd\n", 1)


def lab(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"lab {' '.join(words)}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def plan() -> RegionPlan:
    plan = load_hardware("lab")
    try:
        socket.create_connection((plan.fabric.switches[0].oob_address, 22), timeout=3).close()
    except OSError:
        pytest.skip("the lab's switches do not answer: make lab")
    return plan


@pytest.fixture
async def fabric(plan: RegionPlan, tmp_path: Path) -> AsyncIterator[Fabric]:
    fabric = Fabric(plan, tmp_path)
    await fabric.bring(fabric.planned)
    yield fabric
    await fabric.bring(fabric.planned)
    assert not await fabric.failing_settled()


async def test_a_change_reaches_all_switches_and_a_second_run_finds_nothing_to_do(fabric: Fabric) -> None:
    changed = fabric.changed(dict.fromkeys(fabric.planned["switches"], add_probe))
    assert await fabric.bring(changed) == f"configured {', '.join(fabric.planned['switches'])}"
    for startup, running in (await fabric.texts()).values():
        assert PROBE in startup
        assert PROBE in running
    assert await fabric.bring(changed) == "nothing to do"


async def test_sessions_that_a_change_leaves_alone_keep_their_uptime(fabric: Fabric) -> None:
    leaf = fabric.switch("lab-leaf1")
    before = await leaf.look()
    await fabric.bring(fabric.changed({"lab-leaf1": add_probe}))
    after = await leaf.look()
    await leaf.close()
    up = [port for port, session in before.sessions.items() if session.is_up]
    assert up
    assert [after.sessions[p].starts for p in up] == [before.sessions[p].starts for p in up]


async def test_a_line_that_a_switch_does_not_know_is_named_and_nothing_changes_anywhere(fabric: Fabric) -> None:
    before = await fabric.texts()
    edits = dict.fromkeys(fabric.planned["switches"], add_probe)
    edits["lab-spine2"] = lambda text: text.replace("bgp bestpath", "bgp bestpaht", 1)
    error = await fabric.refusal(fabric.changed(edits))
    number = (
        fabric.planned["switches"]["lab-spine2"]["config"].splitlines().index(" bgp bestpath as-path multipath-relax")
    )
    assert f"lab-spine2: line {number + 1} of its configuration" in error
    assert "bgp bestpaht as-path multipath-relax" in error
    assert "nothing was changed on any switch" in error
    assert await fabric.texts() == before


async def test_a_configuration_changed_by_hand_is_refused_until_it_is_taken_back(fabric: Fabric) -> None:
    by_hand = "ip prefix-list BYHAND seq 5 permit 10.9.0.0/16"
    await fabric.run("lab-leaf2", f"vtysh -c 'configure terminal' -c '{by_hand}'")
    before = await fabric.texts()
    error = await fabric.refusal(fabric.planned)
    assert "lab-leaf2: was configured by hand" in error
    assert f"found: added `{by_hand}`" in error
    assert [r.name for r in await fabric.failing()] == ["fabric.config.lab-leaf2"]
    assert await fabric.texts() == before
    take_back = re.search(r"take them back on the switch with `([^`]+)`", error)
    assert take_back, "the message says how"
    await fabric.run("lab-leaf2", take_back[1])
    assert await fabric.bring(fabric.planned) == "nothing to do"


async def test_lines_changed_by_hand_are_kept_when_they_are_what_is_described(fabric: Fabric) -> None:
    await fabric.run("lab-leaf2", f"vtysh -c 'configure terminal' -c '{PROBE}'")
    assert await fabric.bring(fabric.changed({"lab-leaf2": add_probe})) == "configured lab-leaf2"


async def test_a_session_that_does_not_come_up_takes_all_switches_back(fabric: Fabric) -> None:
    before = await fabric.texts()
    edits: dict[str, Callable[[str], str]] = {
        "lab-leaf1": lambda text: text.replace(
            "neighbor SPINES remote-as external", "neighbor SPINES remote-as internal"
        ),
        "lab-spine1": add_probe,
    }
    error = await fabric.refusal(fabric.changed(edits, settle_s=4))
    assert "every switch was taken back; sessions are as before" in error
    assert re.search(r"lab-leaf1: .*\n\s+found: swp51 is", error)
    assert await fabric.texts() == before


async def test_a_change_of_as_number_restarts_its_sessions_and_is_kept(fabric: Fabric) -> None:
    changed = fabric.changed({"lab-leaf1": lambda text: text.replace("router bgp 65103", "router bgp 65199")})
    assert await fabric.bring(changed) == "configured lab-leaf1"


async def test_never_confirmed_a_switch_takes_itself_back(fabric: Fabric) -> None:
    before = await fabric.texts()
    await _apply_only(fabric, "lab-leaf2", confirm_in_s=3)
    running = (await fabric.texts())["lab-leaf2"][1]
    assert PROBE in running
    await asyncio.sleep(4)
    assert await fabric.texts() == before


async def test_a_switch_that_loses_power_before_the_confirm_boots_with_the_old_configuration(fabric: Fabric) -> None:
    before = await fabric.texts()
    await _apply_only(fabric, "lab-leaf2", confirm_in_s=120)
    await asyncio.to_thread(lab, "power", "cut", "lab-leaf2")
    await asyncio.to_thread(lab, "power", "on", "lab-leaf2")
    assert not await fabric.failing_settled(60)
    assert await fabric.texts() == before


async def test_a_switch_that_does_not_answer_stops_the_change_before_it_begins(fabric: Fabric) -> None:
    before = await fabric.texts()
    await asyncio.to_thread(lab, "silent", "lab-spine2", "eth0", "on")
    try:
        error = await fabric.refusal(fabric.changed({"lab-leaf1": add_probe}))
        failing = await fabric.failing()
    finally:
        await asyncio.to_thread(lab, "silent", "lab-spine2", "eth0", "off")
    assert "no working connection to lab-spine2; nothing was changed" in error
    assert [r.name for r in failing] == ["fabric.ssh.lab-spine2"]
    assert await fabric.texts() == before


async def test_a_switch_with_another_host_key_is_refused_with_both_fingerprints(fabric: Fabric) -> None:
    address = fabric.planned["switches"]["lab-leaf1"]["address"]
    key = {line.split()[0]: line.split()[1:] for line in fabric.access.known_hosts.splitlines() if line}
    other = next(words for name, words in key.items() if name != address)
    wrong = SshAccess(
        user="root",
        private_key=resolve(ROOT, fabric.planned["ssh"]["private_key"]),
        known_hosts=f"{address} {' '.join(other)}\n",
        known_hosts_source="file:pinned",
    )
    switch = FrrSwitch("lab-leaf1", address, wrong)
    with pytest.raises(DeviceError) as caught:
        await switch.connect()
    assert re.search(r"found: SHA256:\S+, expected SHA256:\S+ from file:pinned", str(caught.value))


async def test_a_dead_uplink_is_seen_by_bgp_and_bfd_at_both_ends(fabric: Fabric) -> None:
    await asyncio.to_thread(lab, "silent", "lab-leaf1", "swp51", "on")
    try:
        await asyncio.sleep(1)
        names = {r.name for r in await fabric.failing()}
    finally:
        await asyncio.to_thread(lab, "silent", "lab-leaf1", "swp51", "off")
    assert {f"fabric.{what}.{name}" for what in ("bgp", "bfd") for name in ("lab-leaf1", "lab-spine1")} <= names
    assert {"fabric.ecmp.lab-leaf1", "fabric.ecmp.lab-leaf2"} <= names
    assert not await fabric.failing_settled()


async def test_deleted_the_switches_are_as_from_the_factory_and_can_be_begun_anew(fabric: Fabric) -> None:
    with Journal.open(fabric.journal_path, scope="fabric") as journal:
        context = Context(project=ROOT, region="lab", journal=journal)
        await SwitchConfigHandler().delete("fabric", fabric.planned, context)
        assert all("router bgp" not in startup + running for startup, running in (await fabric.texts()).values())
        await SwitchConfigHandler().delete("fabric", fabric.planned, context)  # and again: nothing to do
    assert "configured" in await fabric.bring(fabric.planned)


async def test_killed_at_any_point_the_next_run_completes_and_no_lock_is_left(fabric: Fabric) -> None:
    there = fabric.changed(dict.fromkeys(fabric.planned["switches"], add_probe))
    whole_s = await _timed_child(fabric, there)
    goal = fabric.planned
    for point in range(KILLS):
        await _killed_child(fabric, goal, after_s=whole_s * (point + 0.5) / KILLS)
        began = time.monotonic()
        await fabric.bring(goal)
        # However busy the machine: it did not wait for a switch to take the killed run's commit back.
        assert time.monotonic() - began < CONFIRM_IN_S, f"kill {point}"
        for name, (startup, _) in (await fabric.texts()).items():
            assert startup == goal["switches"][name]["config"], f"kill {point}: {name}"
            state = await fabric.run(name, "ls /run/gpuregion/pending.json 2>/dev/null || true")
            assert not state, f"kill {point}: {name} has a commit waiting"
        goal = there if goal is fabric.planned else fabric.planned
    unresolved = [r for r in Journal.read_history(fabric.journal_path, limit=1000) if r.outcome is None]
    assert not unresolved, "every intent has found its outcome"


async def _apply_only(fabric: Fabric, name: str, *, confirm_in_s: float) -> None:
    """As a controller that dies right after apply, on one switch."""
    switch = fabric.switch(name)
    text = add_probe(fabric.planned["switches"][name]["config"])
    checked = await switch.check(text)
    await switch.apply(
        text,
        commit="0123456789ab-test",
        owner="lab/fabric",
        confirm_in_s=confirm_in_s,
        base=hashlib.sha256(checked.running.encode()).hexdigest(),
        timeout_s=30,
    )
    await switch.close()


def _child(fabric: Fabric, inputs: Inputs) -> list[str]:
    path = fabric.folder / "inputs.json"
    path.write_text(json.dumps(inputs))
    return [sys.executable, str(BRING), str(path), str(fabric.journal_path), str(ROOT)]


async def _timed_child(fabric: Fabric, inputs: Inputs) -> float:
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(*_child(fabric, inputs), cwd=ROOT)
    assert await child.wait() == 0
    return time.monotonic() - began


async def _killed_child(fabric: Fabric, inputs: Inputs, *, after_s: float) -> None:
    child = await asyncio.create_subprocess_exec(*_child(fabric, inputs), cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        await asyncio.wait_for(child.wait(), after_s)
    except TimeoutError:
        child.kill()
        await child.wait()
