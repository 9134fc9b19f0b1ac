"""Ansible playbooks over any number of hosts.

Owns the way from a request to one result: the plays that work host by host are divided along racks over several
processes (components.plan.playbook_shards says how), hosts that could not be reached are run once more, alone, and
the plays that need all hosts come after them in one process. On few hosts it is one process for all.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

from components.clients.controller import controller
from components.clients.playbook_content import content_digest
from components.clients.playbook_events import FailedTask, HostStats, Log, Progress
from components.clients.playbook_plays import play_kinds
from components.clients.playbook_process import PlaybookRequest, open_log, run_playbook, run_process
from components.clients.playbook_progress import ShardLog, Shards
from components.clients.playbook_result import (
    CANCELED,
    SUCCESSFUL,
    PlaybookFailedError,
    RunResult,
    attempted_again,
    deserving,
    one_after_the_other,
    side_by_side,
)
from components.plan.playbook_shards import PlayKind, ShardPlan, inventory_hosts, inventory_of, shard_plan

__all__ = [
    "FailedTask",
    "HostStats",
    "PlaybookFailedError",
    "PlaybookRequest",
    "Progress",
    "RunResult",
    "content_digest",
    "play",
    "run_playbook",
]

Division = Callable[[Sequence[str]], ShardPlan]


def divide(hosts: Sequence[str]) -> ShardPlan:
    """As fits this machine now."""
    return shard_plan(hosts, controller())


async def play(
    request: PlaybookRequest,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    division: Division = divide,
) -> RunResult:
    """Run a playbook beside other work. Raises PlaybookFailedError if it did not reach its end on every host.

    A cancellation ends every process of the run; a module that is under way on a host goes on to its own end.
    """
    loop = asyncio.get_running_loop()
    run = _Run(
        request,
        division,
        on_progress=lambda progress: cast("None", loop.call_soon_threadsafe(on_progress, progress)),
    )
    work = asyncio.ensure_future(asyncio.to_thread(run.to_its_end))
    try:
        result = await asyncio.shield(work)
    except asyncio.CancelledError:
        run.stop.set()
        await work  # it says what we know: cancelled
        raise
    if result.status != SUCCESSFUL:
        raise PlaybookFailedError(result)
    return result


class _Run:
    """One request under way, in a thread of its own."""

    def __init__(
        self, request: PlaybookRequest, division: Division, *, on_progress: Callable[[Progress], None]
    ) -> None:
        self.stop = threading.Event()
        self._request = request
        self._divide = division
        self._on_progress = on_progress

    def to_its_end(self) -> RunResult:
        """All stages; the result however they ended."""
        request = self._request
        kinds = play_kinds(request.playbooks / request.playbook)
        hosts = request.limit or inventory_hosts(request.inventory)
        plan = self._divide(hosts)
        with open_log(request.log) as log:
            if PlayKind.PER_HOST not in kinds or (len(plan.shards) <= 1 and PlayKind.TOGETHER in kinds):
                return self._process(request, log)
            result = self._host_by_host(plan, log)
            left = tuple(host for host in hosts if host not in result.undone)
            if PlayKind.TOGETHER not in kinds or result.is_over or not left:
                return result
            rest = replace(request, skip_tags=(*request.skip_tags, PlayKind.PER_HOST), limit=left)
            return one_after_the_other(result, self._process(rest, log))

    def _host_by_host(self, plan: ShardPlan, log: Log) -> RunResult:
        result = self._shards(plan, log)
        again = deserving(result)
        if not again or result.is_over:
            return result
        return attempted_again(result, self._shards(self._divide(again), log), frozenset(again))

    def _shards(self, plan: ShardPlan, log: Log) -> RunResult:
        """One process a shard, some at a time. One that fails does not stop the others."""
        began = time.monotonic()
        shards = Shards(len(plan.shards), self._on_progress)
        skipped = (*self._request.skip_tags, PlayKind.TOGETHER)

        def one(hosts: tuple[str, ...]) -> RunResult:
            if self.stop.is_set():
                return _never_begun(self._request)
            name = hosts[0] if len(hosts) == 1 else f"{hosts[0]}..{hosts[-1]}"
            request = replace(
                self._request,
                inventory=inventory_of(self._request.inventory, frozenset(hosts)),
                limit=(),
                skip_tags=skipped,
                forks=plan.forks,
            )
            own = log if len(plan.shards) == 1 else ShardLog(log, name)
            with shards.begin() as tell:
                return run_process(request, own, on_progress=tell, is_cancelled=self.stop.is_set)

        with ThreadPoolExecutor(plan.at_once, thread_name_prefix="playbook-shard") as pool:
            results = list(pool.map(one, plan.shards))
        return side_by_side(results, seconds=time.monotonic() - began)

    def _process(self, request: PlaybookRequest, log: Log) -> RunResult:
        return run_process(request, log, on_progress=self._on_progress, is_cancelled=self.stop.is_set)


def _never_begun(request: PlaybookRequest) -> RunResult:
    return RunResult(
        playbook=request.playbook,
        status=CANCELED,
        seconds=0,
        hosts={},
        failed=(),
        reports={},
        log=request.log,
        last_words="cancelled before it began",
    )
