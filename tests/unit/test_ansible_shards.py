"""Runs of several real ansible-playbook processes: one that is killed, a host out of reach, a cancellation.

Hosts are this machine, over Ansible's local connection and one that breaks on demand.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.clients.ansible import PlaybookFailedError, PlaybookRequest, Progress, play
from components.plan.playbook_shards import ShardPlan

pytestmark = pytest.mark.timeout(300)

PLAYBOOK = """
- name: Each by itself
  hosts: all
  gather_facts: false
  tags: [probe, per_host]
  vars: &local {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - name: Report
      ansible.builtin.debug: {msg: "{{ {'role': 'each', 'of': groups.all, 'done': done} | to_json }}"}
      vars: {done: "{{ lookup('ansible.builtin.pipe', act | default('true')) }}"}
    - name: Touch the host
      ansible.builtin.command: {argv: ["true"]}
      changed_when: true
- name: All together
  hosts: all
  gather_facts: false
  tags: [probe, together]
  tasks:
    - name: Report of all
      ansible.builtin.debug: {msg: "{{ {'role': 'all', 'of': ansible_play_hosts_all | sort, 'known': groups.all | sort} | to_json }}"}
      run_once: true
"""
FLAKY = """
from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = '''
name: flaky
short_description: local, once it was tried as often as the host says
description: A stand-in for a host that is out of reach for a while.
options:
  attempts: {description: How often it breaks., type: int, default: 0, vars: [{name: flaky_attempts}]}
  count_in: {description: Where that is counted., default: "", vars: [{name: flaky_count_in}]}
extends_documentation_fragment: [connection_pipelining]
'''


class Connection(Local):
    transport = "flaky"

    def _connect(self):
        counted = Path(self.get_option("count_in"))
        with counted.open("a") as file:
            file.write("tried\\n")
        if len(counted.read_text().splitlines()) <= self.get_option("attempts"):
            raise AnsibleConnectionFailure("no route to it yet")
        return super()._connect()
"""


def one_each(hosts: Sequence[str]) -> ShardPlan:
    """A shard for each host, two at a time."""
    return ShardPlan(shards=tuple((host,) for host in hosts), at_once=2, forks=1)


def request(folder: Path, hosts: dict[str, dict[str, object]], playbook: str = PLAYBOOK) -> PlaybookRequest:
    (folder / "connection_plugins").mkdir()
    (folder / "connection_plugins" / "flaky.py").write_text(FLAKY)
    (folder / "probe.yml").write_text(playbook)
    (folder / "ansible.cfg").write_text("[defaults]\n")
    return PlaybookRequest(
        playbooks=folder,
        playbook="probe.yml",
        inventory={"all": {"hosts": {name: {"ansible_connection": "local", **of} for name, of in hosts.items()}}},
        private_key="key",
        known_hosts="",
        directory=folder,
        log=folder / "probe.log",
        timeout_s=120,
    )


def flaky(folder: Path, name: str, attempts: int) -> dict[str, object]:
    return {"ansible_connection": "flaky", "flaky_attempts": attempts, "flaky_count_in": str(folder / name)}


async def test_a_host_that_answers_later_is_run_again_alone_and_nobody_notices(tmp_path: Path) -> None:
    told: list[Progress] = []
    hosts: dict[str, dict[str, object]] = {"h1": {}, "h2": flaky(tmp_path, "h2", 1), "h3": {}}
    result = await play(request(tmp_path, hosts), division=one_each, on_progress=told.append)
    assert (result.status, result.again) == ("successful", ("h2",))
    assert {host: stats.changed for host, stats in result.hosts.items()} == {"h1": 1, "h2": 1, "h3": 1}
    reports = {host: [report["role"] for report in reports] for host, reports in result.reports.items()}
    assert reports == {"h1": ["each", "all"], "h2": ["each", "each"], "h3": ["each"]}
    assert all(report["of"] == [host] for host, (report, *_) in result.reports.items()), "a shard knows its own alone"
    assert result.reports["h1"][1]["of"] == result.reports["h1"][1]["known"] == ["h1", "h2", "h3"]
    log = (tmp_path / "probe.log").read_text()
    assert "[h3] ok: [h3]" in log
    assert "[h2] fatal: [h2]: UNREACHABLE!" in log
    assert {progress.shards for progress in told} >= {3}


async def test_a_host_out_of_reach_stops_no_other_and_is_left_out_of_what_follows(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, object]] = {"h1": {}, "h2": flaky(tmp_path, "h2", 9), "h3": {"act": "false"}}
    with pytest.raises(PlaybookFailedError) as caught:
        await play(request(tmp_path, hosts), division=one_each)
    refused, dark = sorted(caught.value.problems, key=lambda problem: problem.path, reverse=True)
    assert (dark.path, refused.path) == ("h2", "h3")
    assert "no route to it yet" in str(dark)
    assert "at the second attempt too" in str(dark)
    assert len((tmp_path / "h2").read_text().splitlines()) == 2, "once more, and no more"
    result = caught.value.result
    assert result.reports["h1"][1]["of"] == ["h1"]
    assert result.reports["h1"][1]["known"] == ["h1", "h2", "h3"]


async def test_a_killed_process_stops_no_other_and_its_hosts_are_run_again(tmp_path: Path) -> None:
    kill = f"test -e {tmp_path}/killed || {{ touch {tmp_path}/killed; kill -KILL $(ps -o ppid= -p $PPID); }}"
    result = await play(request(tmp_path, {"h1": {}, "h2": {"act": kill}, "h3": {}}), division=one_each)
    assert (tmp_path / "killed").exists()
    assert (result.status, result.again, result.lost) == ("successful", ("h2",), ())
    assert result.hosts.keys() == {"h1", "h2", "h3"}


async def test_what_kills_its_process_each_time_is_told(tmp_path: Path) -> None:
    kill = "kill -KILL $(ps -o ppid= -p $PPID)"
    with pytest.raises(PlaybookFailedError, match="h2: the process that worked on them was killed") as caught:
        await play(request(tmp_path, {"h1": {}, "h2": {"act": kill}}), division=one_each)
    assert caught.value.result.hosts["h1"].changed == 1


async def test_a_cancellation_ends_every_process_of_every_shard(tmp_path: Path) -> None:
    seconds = f"300.{os.getpid()}"
    slow = PLAYBOOK.replace('argv: ["true"]', f'argv: [sleep, "{seconds}"]')
    mark = str(tmp_path).encode()

    def at_work() -> list[str]:
        """Processes of the playbook, and the sleeping module on the host."""
        found: list[str] = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if int(process.name) != os.getpid() and (mark in line or seconds.encode() in line):
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found

    run = asyncio.create_task(play(request(tmp_path, {"h1": {}, "h2": {}, "h3": {}}, slow), division=one_each))
    for _ in range(1200):
        if sum(line.startswith("sleep") for line in at_work()) == 2:
            break
        await asyncio.sleep(0.1)
    assert sum(line.startswith("sleep") for line in at_work()) == 2, "two at a time"
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert at_work() == []


async def test_few_hosts_are_one_process_for_all_plays(tmp_path: Path) -> None:
    result = await play(request(tmp_path, {"h1": {}, "h2": {}}))
    assert [report["role"] for report in result.reports["h1"]] == ["each", "all"]
    assert "[h1] ok" not in (tmp_path / "probe.log").read_text()
    assert (tmp_path / "probe.log").read_text().count("PLAY RECAP") == 1


async def test_a_playbook_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    asked = request(tmp_path, {"h1": {}, "h2": {}}, PLAYBOOK + "\n- name: [unclosed\n")
    with pytest.raises(PlaybookFailedError, match="YAML parsing failed") as caught:
        await play(asked, division=one_each)
    assert len(caught.value.problems) == 1
