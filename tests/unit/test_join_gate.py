"""The gate at which machines wait for their turn to join: over its real socket, and from a real run of Ansible."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from components.clients.cluster_joins import ClusterJoins
from components.clients.join_gate import FAILED, GO, JOINED, join_gate
from components.clients.kubeconfig import Kubeconfig
from components.engine.join_pace import SLOW_S, START, JoinPace, Sight
from tests.regions import ROOT

ACCESS = Kubeconfig(server="https://172.30.0.65:6443", ca="", certificate="", key="private")
NOWHERE = Path("/nonexistent/kubeconfig")


class Machine:
    """The other side of the gate."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def waiting(cls, gate: Path) -> Machine:
        machine = cls(*await asyncio.open_unix_connection(gate))
        machine.writer.write(b'{"machine": "a"}\n')
        return machine

    async def goes(self) -> bool:
        return await self.reader.readline() == GO

    async def tell(self, outcome: bytes) -> None:
        self.writer.write(outcome + b"\n")
        assert await self.reader.read() == b""


async def test_a_turn_is_given_when_another_ends() -> None:
    pace = JoinPace(1, seed=1)
    async with join_gate(pace, NOWHERE) as gate:
        first = await Machine.waiting(gate)
        assert await first.goes()
        second = await Machine.waiting(gate)
        going = asyncio.create_task(second.goes())
        await asyncio.sleep(0.05)
        assert not going.done()
        await first.tell(JOINED)
        assert await going


async def test_the_turn_of_a_killed_run_ends_with_it_and_counts_as_neither_success_nor_failure() -> None:
    pace = JoinPace(1, seed=1)
    async with join_gate(pace, NOWHERE) as gate:
        first = await Machine.waiting(gate)
        assert await first.goes()
        first.writer.close()
        second = await Machine.waiting(gate)
        assert await second.goes()
        assert pace.under_way == 1
        assert (pace.window.size, pace.window.join_s) == (1, 1.0)


async def test_a_failed_join_makes_the_window_smaller() -> None:
    pace = JoinPace(50, seed=1)
    async with join_gate(pace, NOWHERE) as gate:
        machine = await Machine.waiting(gate)
        assert await machine.goes()
        await machine.tell(FAILED)
    assert pace.window.size < START


async def test_the_gate_leaves_no_socket_and_no_waiting_machine() -> None:
    pace = JoinPace(1, seed=1)
    async with join_gate(pace, NOWHERE) as gate:
        first, second = await Machine.waiting(gate), await Machine.waiting(gate)
        assert await first.goes()
    assert not gate.exists()
    assert await second.reader.read() == b""
    assert pace.under_way == 0


def api(answer: httpx.Response) -> ClusterJoins:
    return ClusterJoins(ACCESS, transport=httpx.MockTransport(lambda _: answer))


async def test_a_look_measures_a_read_that_machines_which_join_make_too() -> None:
    async with api(httpx.Response(200, json={"data": {}})) as cluster:
        sight = await cluster.look()
    assert sight.answer_s is not None
    assert sight.answer_s < SLOW_S


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_refused_look_is_strain(status: int) -> None:
    async with api(httpx.Response(status, json={"message": "too many requests"})) as cluster:
        assert await cluster.look() == Sight(answer_s=None, pending=0)


async def test_requests_without_certificate_and_verdict_are_the_backlog() -> None:
    def request(name: str, **status: object) -> dict[str, object]:
        return {"metadata": {"name": name}, "status": status}

    items = [
        request("new"),
        request("approved", conditions=[{"type": "Approved"}]),
        request("signed", conditions=[{"type": "Approved"}], certificate="LS0t"),
        request("denied", conditions=[{"type": "Denied"}]),
    ]
    async with api(httpx.Response(200, json={"items": items, "metadata": {}})) as cluster:
        assert await cluster.waiting_requests() == ["new", "approved"]


async def test_what_the_watch_tells_of_requests_is_in_the_next_look() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "watch" not in request.url.params:
            return httpx.Response(200, json={})
        assert request.url.params["fieldSelector"] == "spec.signerName=kubernetes.io/kube-apiserver-client-kubelet"
        events: list[tuple[str, str, dict[str, str]]] = [
            ("ADDED", "a", {}),
            ("ADDED", "b", {}),
            ("MODIFIED", "b", {"certificate": "LS0t"}),
            ("ADDED", "c", {}),
            ("DELETED", "c", {}),
        ]
        lines = [json.dumps({"type": t, "object": {"metadata": {"name": n}, "status": s}}) for t, n, s in events]
        return httpx.Response(200, text="\n".join(lines))

    async with ClusterJoins(ACCESS, transport=httpx.MockTransport(answer)) as cluster, cluster.watching():
        for _ in range(100):
            if (await cluster.look()).pending == 1:
                return
            await asyncio.sleep(0.01)
    pytest.fail("the request that waits was not seen")


PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - join_in_turn: {gate: "{{ gate }}", argv: [sh, -c, "echo {{ inventory_hostname }} in; exit {{ code | default(0) }}"]}
"""


async def ansible(folder: Path, gate: Path | str, hosts: int, **variables: int) -> tuple[int, str]:
    """Exit code and output of a run whose hosts are this machine; `h0` gets the variables."""
    (folder / "play.yml").write_text(PLAYBOOK)
    lines = [f"h{n} ansible_connection=local ansible_python_interpreter={sys.executable}" for n in range(hosts)]
    lines[0] += "".join(f" {key}={value}" for key, value in variables.items())
    (folder / "hosts").write_text("\n".join(lines) + "\n")
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts", "-v", "-e", f"gate={gate}", "play.yml",
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "ANSIBLE_ACTION_PLUGINS": str(ROOT / "playbooks/roles/kubernetes/action_plugins"),
             "ANSIBLE_FORKS": "5", "ANSIBLE_HOME": str(folder / "home"), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_hosts_of_a_run_of_ansible_join_in_turn(tmp_path: Path) -> None:
    pace = JoinPace(2, seed=1)
    most = 0

    async def look_on() -> None:
        nonlocal most
        while True:
            most = max(most, pace.under_way)
            await asyncio.sleep(0.005)

    looking = asyncio.create_task(look_on())
    async with join_gate(pace, NOWHERE) as gate:
        code, output = await ansible(tmp_path, gate, 6)
    looking.cancel()
    assert code == 0, output
    assert output.count("CHANGED") + output.count("changed: [h") == 6, output
    assert 1 <= most <= 2


async def test_a_host_whose_command_fails_tells_the_gate_and_keeps_nobody_out(tmp_path: Path) -> None:
    pace = JoinPace(1, seed=1)
    async with join_gate(pace, NOWHERE) as gate:
        code, output = await ansible(tmp_path, gate, 3, code=3)
    assert code != 0
    assert '"rc": 3' in output
    assert output.count("changed: [h") == 2, output
    assert pace.under_way == 0


async def test_without_a_gate_the_command_just_runs(tmp_path: Path) -> None:
    code, output = await ansible(tmp_path, "", 2)
    assert code == 0, output


async def test_a_gate_that_is_gone_fails_the_host_with_a_reason(tmp_path: Path) -> None:
    code, output = await ansible(tmp_path, tmp_path / "gone", 1)
    assert code != 0
    assert "there is no turn to join" in output
