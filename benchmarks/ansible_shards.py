"""One playbook over hundreds of hosts: stock Ansible, tuned Ansible, mitogen, and our runner with its shards.

    python -m benchmarks.ansible_shards [--hosts 100 500] [--tasks 1 10 30] [--over ssh local] [--only ours mitogen]

Hosts are addresses of 127.0.0.0/8 behind one sshd, in name spaces that end with the benchmark (root is needed for
them). Every task runs `true` as a command, so the figures are those of the controller: its processor time for one
task on one host, with all its ssh clients, and the most memory that its processes held. Targets run on cores of their
own where there are two or more. `local` leaves out ssh, and counts what the module costs on the target too. No play
gathers facts, whoever runs it. Processor time holds on a machine that does other work; times by the clock do not.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from benchmarks import loopback_sshd
from benchmarks.pyavd import peer_python

ROOT = Path(__file__).parents[1]
PLAYBOOKS = ROOT / "playbooks"
RACK = 18
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: what leaves its parent, such as a shared SSH connection, is counted too."""
LIMIT_S = 3600
SAMPLE_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One playbook on one inventory."""

    folder: Path
    hosts: int
    tasks: int
    key: Path
    known_hosts: str

    @property
    def environment(self) -> dict[str, str]:
        """Of every contender that is plain Ansible. Connections are those that our runner makes."""
        return {
            "ANSIBLE_PRIVATE_KEY_FILE": str(self.key),
            "ANSIBLE_SSH_COMMON_ARGS": f"-F none -o IdentitiesOnly=yes -o UserKnownHostsFile={self.folder}/known_hosts",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
        }


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run cost its controller."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    left: int
    """Processes that were there after its end."""


def case(folder: Path, hosts: int, tasks: int, over: str, key: Path, known_hosts: str) -> Case:
    """Write inventory, playbook and settings."""
    names = {
        f"bench-r{n // RACK + 1:03d}-t{n % RACK + 1:02d}": {"ansible_host": f"127.0.{n // RACK + 1}.{n % RACK + 1}"}
        for n in range(hosts)
    }
    variables = {"ansible_connection": over, "ansible_user": "root", "ansible_python_interpreter": "/usr/bin/python3"}
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": names, "vars": variables}}))
    task = {"ansible.builtin.command": {"argv": ["true"]}, "changed_when": False}
    play: dict[str, Any] = {"name": "Work", "hosts": "all", "gather_facts": False, "tags": ["per_host"]}
    play["tasks"] = [{"name": f"Task {n}", **task} for n in range(tasks)]
    (folder / "work.yml").write_text(json.dumps([play]))
    (folder / "stock.cfg").write_text("[defaults]\n")
    (folder / "tuned.cfg").write_text("[defaults]\nforks = 50\n[connection]\npipelining = True\n")
    (folder / "known_hosts").write_text(known_hosts)
    shutil.copy(PLAYBOOKS / "ansible.cfg", folder / "ansible.cfg")
    return Case(folder=folder, hosts=hosts, tasks=tasks, key=key, known_hosts=known_hosts)


def contenders(of: Case) -> Iterator[tuple[str, list[str], Mapping[str, str]]]:
    """Name, command, environment."""
    python = peer_python()
    strategy = next(python.parents[1].glob("lib/python3*/site-packages/ansible_mitogen/plugins/strategy"))
    mitogen = {"ANSIBLE_STRATEGY_PLUGINS": str(strategy), "ANSIBLE_STRATEGY": "mitogen_linear"}
    work = ["-i", "hosts.json", "work.yml"]
    stock = [str(Path(sys.executable).parent / "ansible-playbook"), *work]
    ours = [sys.executable, "-m", "benchmarks.ansible_shards", "--ours", str(of.folder)]
    tuned = {**of.environment, "ANSIBLE_CONFIG": str(of.folder / "tuned.cfg")}
    yield "stock", stock, {**of.environment, "ANSIBLE_CONFIG": str(of.folder / "stock.cfg")}
    yield "tuned", stock, tuned
    yield "mitogen", [str(python.parent / "ansible-playbook"), *work], {**tuned, **mitogen}
    yield "ours", ours, {}
    yield "ours, mitogen", ours, mitogen


def run_ours(folder: Path) -> None:
    """As the provider runs a playbook, on the machine as it is found."""
    from components.clients.ansible import PlaybookRequest, play

    request = PlaybookRequest(
        playbooks=folder,
        playbook="work.yml",
        inventory=json.loads((folder / "hosts.json").read_text()),
        private_key=(folder.parent / "key").read_text(),
        known_hosts=(folder / "known_hosts").read_text(),
        directory=folder,
        log=folder / "ours.log",
        timeout_s=LIMIT_S,
    )
    result = asyncio.run(play(request))
    assert len(result.hosts) == len(request.inventory["all"]["hosts"])


def measure(command: Sequence[str], environment: Mapping[str, str], folder: Path, cores: Sequence[int]) -> Cost:
    """Run to the end on these cores. What it leaves behind is ended, and counted."""
    before, began = _children_s(), monotonic()
    pinned = ["taskset", "-c", ",".join(map(str, cores)), *command]
    place = ROOT if "--ours" in command else folder
    with subprocess.Popen(
        pinned,
        cwd=place,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watch = _Memory(process.pid)
        words = process.communicate(timeout=LIMIT_S)[1]
        wall = monotonic() - began
        watch.stop()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{words}")
    left = _end_orphans()
    return Cost(wall_s=wall, cpu_s=_children_s() - before, peak_mib=watch.peak_mib, left=left)


class _Memory:
    """The most that a process and all below it held; shared pages are counted once."""

    def __init__(self, pid: int) -> None:
        self.peak_mib = 0.0
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_S):
            total = 0
            with suppress(psutil.Error):
                for process in (self._root, *self._root.children(recursive=True)):
                    with suppress(psutil.Error):
                        total += process.memory_full_info().pss
            self.peak_mib = max(self.peak_mib, total / 2**20)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_orphans() -> int:
    """Shared SSH connections and helpers that outlived their run: our children now. The sshd stays."""
    left = 0
    for process in psutil.Process().children():
        with suppress(psutil.Error, ChildProcessError):
            if "sshd" not in process.name():
                left += process.status() != psutil.STATUS_ZOMBIE
                process.kill()
                os.waitpid(process.pid, 0)
    return left


def compare(of: Case, only: Sequence[str], cores: Sequence[int]) -> None:
    """Each contender in turn; ours against the best of the others."""
    costs: dict[str, Cost] = {}
    for name, command, environment in contenders(of):
        if only and name not in only:
            continue
        costs[name] = cost = measure(command, environment, of.folder, cores)
        each = 1000 * cost.cpu_s / (of.hosts * of.tasks)
        figures = f"{cost.wall_s:9.1f} s{cost.cpu_s:9.1f} CPU-s{each:9.1f} ms{cost.peak_mib:8.0f} MiB{cost.left:6d}"
        print(f"  {name:14}{figures}", flush=True)
    peers = {name: cost for name, cost in costs.items() if not name.startswith("ours")}
    for name in (name for name in costs if name not in peers and peers):
        best = min(peers, key=lambda peer: peers[peer].cpu_s)
        quickest = min(peers, key=lambda peer: peers[peer].wall_s)
        print(
            f"  ratio: {best} needs {peers[best].cpu_s / costs[name].cpu_s:.2f} times the processor time of `{name}`, "
            f"{quickest} {peers[quickest].wall_s / costs[name].wall_s:.2f} times its clock"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--over", nargs="+", default=["ssh", "local"], choices=["ssh", "local"])
    parser.add_argument("--only", nargs="+", default=[], help="contenders by name")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        run_ours(options.ours)
        return
    loopback_sshd.program()
    peer_python()  # while there is a network to get them from
    loopback_sshd.alone("benchmarks.ansible_shards")
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    cores = sorted(os.sched_getaffinity(0))
    targets, controller = (cores[: len(cores) // 2], cores[len(cores) // 2 :]) if len(cores) > 1 else (cores, cores)
    print(f"controller on cores {controller}, targets on {targets}, load {os.getloadavg()[0]:.0f}")
    print("  contender         clock      processor   a host-task    memory  left")
    with tempfile.TemporaryDirectory() as name, loopback_sshd.hosts(Path(name), targets) as (key, known_hosts):
        for over in options.over:
            for hosts in options.hosts:
                for tasks in options.tasks:
                    print(f"{hosts} hosts over {over}, {tasks} tasks", flush=True)
                    folder = Path(name) / f"{over}-{hosts}-{tasks}"
                    folder.mkdir()
                    compare(case(folder, hosts, tasks, over, key, known_hosts), options.only, controller)


if __name__ == "__main__":
    main()
