"""How a playbook run over many hosts is divided: which hosts to a process, how many processes, how many forks.

Owns the decision, from hosts, cores and memory; starting anything is clients/ansible.py. One ansible-playbook is
bound by its one controlling process: about 30 ms of it for each task on each host, whatever the number of forks
(`python -m benchmarks.ansible_shards`, docs/guides/playbooks.md). So a run is cut along racks, and as many processes
work side by side as there are cores.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from components.plan.actions.action import part

Inventory = Mapping[str, Any]

SMALLEST = 18
"""Hosts, one rack. Below that, starting another process (2 CPU-seconds) costs more than it saves."""
LARGEST = 54
"""Hosts, three racks. Above that, what a process does for each host because of all its others (0.02 ms for each
task and pair) costs more than starting another one, for a playbook of about 40 tasks."""
IN_FLIGHT_PER_CORE = 16
"""Hosts that are worked on at a time. Four for each core keep a controller busy with tasks that end at once (the
model of AWX); tasks that install packages wait for their host most of the time."""
PROCESS_MIB = 100
FORK_MIB = 100
"""What AWX counts for a fork. Seen are about 70 MiB for a process, most of it shared with its forks."""
MEMORY_SHARE = 0.5
"""Of the memory that is free when a run begins."""


class PlayKind(StrEnum):
    """How a play treats its hosts; a tag that each play carries."""

    PER_HOST = "per_host"
    """Each host by itself: no host waits for, asks or counts another. May be sharded."""
    TOGETHER = "together"
    """All hosts in one process. Also what a play is that does not say."""


@dataclass(frozen=True, kw_only=True)
class Controller:
    """The machine that runs Ansible."""

    cores: float
    """That this process may use."""
    memory_mib: int
    """Free."""


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """A division of a run."""

    shards: tuple[tuple[str, ...], ...]
    """Hosts by process, in the order in which they are begun."""
    at_once: int
    """Processes at a time."""
    forks: int
    """Hosts at a time in each."""


def shard_plan(hosts: Sequence[str], controller: Controller) -> ShardPlan:
    """Whole racks to a shard, at least one shard for each core where racks suffice."""
    wanted = min(LARGEST, max(SMALLEST, math.ceil(len(hosts) / controller.cores)))
    shards = tuple(_packed(sorted(set(hosts)), wanted))
    free_mib = controller.memory_mib * MEMORY_SHARE
    in_flight = max(1, min(len(hosts), int(controller.cores * IN_FLIGHT_PER_CORE), int(free_mib / FORK_MIB)))
    largest = max((len(shard) for shard in shards), default=1)
    by_memory = max(1, int(free_mib / (PROCESS_MIB + FORK_MIB)))
    wanted_at_once = max(math.ceil(controller.cores), math.ceil(in_flight / largest))
    at_once = max(1, min(len(shards), wanted_at_once, by_memory))
    return ShardPlan(shards=shards, at_once=at_once, forks=max(1, min(largest, in_flight // at_once)))


def _packed(hosts: Sequence[str], wanted: int) -> Iterator[tuple[str, ...]]:
    """Racks in order, into shards of at most `wanted` hosts. A rack is never divided, however large."""
    shard: list[str] = []
    for _, members in groupby(hosts, rack_of):
        rack = list(members)
        if shard and len(shard) + len(rack) > wanted:
            yield tuple(shard)
            shard = []
        shard += rack
    if shard:
        yield tuple(shard)


def rack_of(host: str) -> str:
    """`ess-r001` of `ess-r001-t07`, as components.spec.derive names trays; of another name, the name."""
    rack, _, slot = host.rpartition("-t")
    return rack if slot.isdigit() else host


def inventory_hosts(inventory: Inventory) -> tuple[str, ...]:
    """Every host of any group, once, in the order of the inventory."""
    found: dict[str, None] = {}

    def add(group: Inventory) -> None:
        found.update(dict.fromkeys(part(group, "hosts") or ()))
        for child in (part(group, "children") or {}).values():
            add(child or {})

    for group in inventory.values():
        add(group or {})
    return tuple(found)


def inventory_of(inventory: Inventory, hosts: AbstractSet[str]) -> dict[str, Any]:
    """The inventory with these hosts alone; groups and variables stay."""

    def kept(group: Inventory) -> dict[str, Any]:
        parts = dict(group)
        if "hosts" in group:
            parts["hosts"] = {name: of for name, of in (part(group, "hosts") or {}).items() if name in hosts}
        if "children" in group:
            parts["children"] = {name: kept(child or {}) for name, child in (part(group, "children") or {}).items()}
        return parts

    return {name: kept(group or {}) for name, group in inventory.items()}
