"""How a run is divided over processes: along racks, by cores and memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.clients.controller import controller
from components.plan import RegionPlan
from components.plan.inventory import ansible_inventory
from components.plan.playbook_shards import Controller, inventory_hosts, inventory_of, rack_of, shard_plan

GIB = 1024


def racks(count: int, trays: int = 18) -> list[str]:
    return [f"ess-r{rack:03d}-t{tray:02d}" for rack in range(1, count + 1) for tray in range(1, trays + 1)]


@pytest.mark.parametrize(
    ("hosts", "cores", "memory_gib", "shards", "largest", "at_once", "forks"),
    [
        pytest.param(racks(1, 4), 2, 16, 1, 4, 1, 4, id="the lab is one process, all hosts at a time"),
        pytest.param(racks(3, 4), 16, 64, 1, 12, 1, 12, id="small racks go together"),
        pytest.param(racks(2), 8, 64, 2, 18, 2, 18, id="a rack is the smallest shard"),
        pytest.param(racks(20), 4, 64, 7, 54, 4, 16, id="never more than three racks"),
        pytest.param(racks(20), 64, 256, 20, 18, 20, 18, id="more cores than racks: a rack each"),
        pytest.param(racks(250), 2, 20, 84, 54, 2, 16, id="a region on two cores: two at work, the rest wait"),
        pytest.param(racks(250), 64, 256, 84, 54, 64, 16, id="a region on many cores: one for each"),
        pytest.param(racks(250), 64, 8, 84, 54, 20, 2, id="memory bounds processes and forks"),
        pytest.param(racks(250), 2, 0, 84, 54, 1, 1, id="without memory one after the other, rather than not at all"),
        pytest.param(racks(250), 0.5, 4, 84, 54, 1, 8, id="a part of a core"),
        pytest.param([], 2, 16, 0, 0, 1, 1, id="nothing to do"),
    ],
)
def test_a_run_is_divided_by_racks_cores_and_memory(
    hosts: list[str], cores: float, memory_gib: int, shards: int, largest: int, at_once: int, forks: int
) -> None:
    plan = shard_plan(hosts, Controller(cores=cores, memory_mib=memory_gib * GIB))
    assert (len(plan.shards), max((len(shard) for shard in plan.shards), default=0)) == (shards, largest)
    assert (plan.at_once, plan.forks) == (at_once, forks)


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 18)), max_size=400, unique=True),
    st.floats(0.1, 256),
    st.integers(0, 1 << 20),
)
def test_every_host_is_in_one_shard_and_no_rack_in_two(
    places: list[tuple[int, int]], cores: float, memory_mib: int
) -> None:
    hosts = [f"ess-r{rack:03d}-t{tray:02d}" for rack, tray in places]
    plan = shard_plan(hosts, Controller(cores=cores, memory_mib=memory_mib))
    assert sorted(host for shard in plan.shards for host in shard) == sorted(hosts)
    of_racks = [{rack_of(host) for host in shard} for shard in plan.shards]
    assert sum(len(of) for of in of_racks) == len({rack_of(host) for host in hosts})
    assert 1 <= plan.at_once <= max(1, len(plan.shards))
    assert plan.forks >= 1
    assert plan.at_once * plan.forks <= max(1, len(hosts))


def test_a_name_that_is_no_trays_is_a_rack_of_its_own() -> None:
    assert [rack_of(name) for name in ("ess-r001-t07", "front-tor", "h1")] == ["ess-r001", "front-tor", "h1"]


def test_the_inventory_of_a_shard_has_its_hosts_and_every_group_and_variable(lab_plan: RegionPlan) -> None:
    whole = ansible_inventory(lab_plan)
    first, *_ = inventory_hosts(whole)
    part = inventory_of(whole, {first})
    assert inventory_hosts(part) == (first,)
    groups = part["all"]["children"]["hosts"]["children"]
    assert set(groups) == {"control_plane", "gpu_worker"}
    assert part["all"]["vars"] == whole["all"]["vars"]
    assert len(inventory_hosts(whole)) == len(lab_plan.deployed_hosts), "the whole is as it was"


def test_a_group_without_hosts_or_content_stays() -> None:
    assert inventory_of({"all": {"children": {"empty": None, "bare": {"hosts": None}}}}, {"h1"}) == {
        "all": {"children": {"empty": {}, "bare": {"hosts": {}}}}
    }


def test_a_host_tells_its_rack_by_its_name(essonne_rack: RegionPlan, lab_plan: RegionPlan) -> None:
    for plan in (essonne_rack, lab_plan):
        assert plan.hosts
        assert {host.name: rack_of(host.name) for host in plan.hosts} == {host.name: host.rack for host in plan.hosts}


def test_cores_and_memory_are_what_every_control_group_allows(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   8388608 kB\n",
        "proc/self/cgroup": "0::/outer/inner\n",
        "sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
        "sys/fs/cgroup/outer/inner/memory.max": "max\n",
        "sys/fs/cgroup/outer/cpu.max": "50000 100000\n",
        "sys/fs/cgroup/outer/memory.max": str(4 << 30),
        "sys/fs/cgroup/outer/memory.current": str(1 << 30),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert controller(tmp_path) == Controller(cores=0.5, memory_mib=3072)


def test_control_groups_of_the_first_version_count_too(tmp_path: Path) -> None:
    files = {
        "proc/meminfo": "MemAvailable:   8388608 kB\n",
        "proc/self/cgroup": "4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n",
        "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "25000\n",
        "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/memory/job/memory.limit_in_bytes": str(2 << 30),
        "sys/fs/cgroup/memory/job/memory.usage_in_bytes": str(1 << 30),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert controller(tmp_path) == Controller(cores=0.25, memory_mib=1024)


def test_this_machine_has_cores_and_memory() -> None:
    here = controller()
    assert here.cores > 0
    assert here.memory_mib > 0
