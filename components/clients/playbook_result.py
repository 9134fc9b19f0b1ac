"""What came of a playbook run, of one process or of many.

Owns the result, the joining of results, which hosts deserve a second attempt, and the error that tells all problems
at once, those that are the same on many hosts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from components.clients.playbook_events import FailedTask, HostStats
from components.errors import DeviceError, Problem

SUCCESSFUL, FAILED, TIMEOUT, CANCELED = "successful", "failed", "timeout", "canceled"
HOSTS_NAMED = 3
"""Hosts with the same problem that are named; of the others, the number."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of a run."""

    playbook: str
    status: str
    """`successful`, `failed`, `timeout` or `canceled`."""
    seconds: float
    hosts: Mapping[str, HostStats]
    failed: tuple[FailedTask, ...]
    reports: Mapping[str, tuple[Mapping[str, Any], ...]]
    """What roles said of a host in their verification, by host."""
    log: Path
    last_words: str
    """End of the output: all there is to say of a run that failed before its first task."""
    lost: tuple[str, ...] = ()
    """Hosts whose process was killed before it told how they ended."""
    again: tuple[str, ...] = ()
    """Hosts that were run a second time, alone."""

    @property
    def changed(self) -> int:
        """Tasks that changed something, over all hosts."""
        return sum(stats.changed for stats in self.hosts.values())

    @property
    def undone(self) -> frozenset[str]:
        """Hosts that did not reach the end."""
        return frozenset(task.host for task in self.failed) | frozenset(self.lost)

    @property
    def is_over(self) -> bool:
        """Whether nothing may follow: somebody or the clock has ended it."""
        return self.status in (TIMEOUT, CANCELED)


def deserving(result: RunResult) -> tuple[str, ...]:
    """Hosts that no task failed on: the way to them broke, or the process that served them was killed."""
    refused = {task.host for task in result.failed if not task.unreachable}
    return tuple(sorted(result.undone - refused))


def side_by_side(results: Sequence[RunResult], *, seconds: float) -> RunResult:
    """One result of runs over different hosts."""
    return RunResult(
        playbook=results[0].playbook,
        status=_worst(results),
        seconds=seconds,
        hosts=dict(chain.from_iterable(result.hosts.items() for result in results)),
        failed=tuple(chain.from_iterable(result.failed for result in results)),
        reports=dict(chain.from_iterable(result.reports.items() for result in results)),
        log=results[0].log,
        last_words="\n".join(dict.fromkeys(result.last_words for result in results if result.status != SUCCESSFUL)),
        lost=tuple(chain.from_iterable(result.lost for result in results)),
        again=tuple(chain.from_iterable(result.again for result in results)),
    )


def attempted_again(first: RunResult, second: RunResult, hosts: AbstractSet[str]) -> RunResult:
    """Result of a run of which these hosts were run a second time. What counts of them is how that ended."""
    failed = (*(task for task in first.failed if task.host not in hosts), *second.failed)
    lost = (*(host for host in first.lost if host not in hosts), *second.lost)
    status = second.status if second.is_over else FAILED if failed or lost else second.status
    return replace(
        _in_turn(first, second),
        status=status,
        failed=failed,
        lost=lost,
        last_words=second.last_words if second.status != SUCCESSFUL else first.last_words,
        again=tuple(sorted(hosts)),
    )


def one_after_the_other(first: RunResult, second: RunResult) -> RunResult:
    """Result of two parts of a playbook, over the same hosts or some of them."""
    return replace(
        _in_turn(first, second),
        status=_worst((first, second)),
        failed=(*first.failed, *second.failed),
        lost=(*first.lost, *second.lost),
        last_words=first.last_words if first.status != SUCCESSFUL else second.last_words,
    )


def _in_turn(first: RunResult, second: RunResult) -> RunResult:
    both = {host: _sum(first.hosts[host], stats) for host, stats in second.hosts.items() if host in first.hosts}
    reports = {
        host: (*first.reports.get(host, ()), *second.reports.get(host, ()))
        for host in {**first.reports, **second.reports}
    }
    return replace(
        first, hosts={**first.hosts, **second.hosts, **both}, reports=reports, seconds=first.seconds + second.seconds
    )


def _sum(first: HostStats, second: HostStats) -> HostStats:
    """Of what was done, both; of how it ended, the last."""
    return HostStats(
        ok=first.ok + second.ok,
        changed=first.changed + second.changed,
        failed=second.failed,
        unreachable=second.unreachable,
        skipped=first.skipped + second.skipped,
        ignored=first.ignored + second.ignored,
    )


def _worst(results: Iterable[RunResult]) -> str:
    found = {result.status for result in results}
    return next((status for status in (CANCELED, TIMEOUT, FAILED) if status in found), SUCCESSFUL)


class PlaybookFailedError(DeviceError):
    """A playbook did not reach its end on every host; `result` tells how far it came."""

    def __init__(self, result: RunResult) -> None:
        reasons = {TIMEOUT: "ran past its time limit", CANCELED: "was cancelled"}
        super().__init__(
            f"{result.playbook} {reasons.get(result.status, 'failed')} after {result.seconds:.0f} s",
            list(_problems(result))
            or [Problem(path=result.playbook, message=result.last_words, remedy=f"read {result.log}")],
        )
        self.result = result


def _problems(result: RunResult) -> Iterator[Problem]:
    alike: dict[FailedTask, list[str]] = {}
    for task in result.failed:
        alike.setdefault(replace(task, host=""), []).append(task.host)
    for task, hosts in alike.items():
        yield _problem(task, hosts, result)
    if result.lost:
        yield Problem(
            path=_named(result.lost),
            message="the process that worked on them was killed before its end",
            remedy="look in `dmesg` whether memory ran out; then run again, what is done stays done",
        )


def _problem(task: FailedTask, hosts: Sequence[str], result: RunResult) -> Problem:
    where = " : ".join(part for part in (task.role, task.name) if part)
    if task.unreachable:
        tried = ", at the second attempt too" if set(hosts) & set(result.again) else ""
        remedy = f"check that {_named(hosts)} is powered and answers on its out-of-band address{tried}; then run again"
    else:
        remedy = f"mend the cause and run again, what is done stays done; the whole output is in {result.log}"
    message = f"{where}: {task.message}"
    return Problem(path=_named(hosts), message=message, remedy=remedy, file=task.file, line=task.line)


def _named(hosts: Sequence[str]) -> str:
    more = len(hosts) - HOSTS_NAMED
    return ", ".join(hosts[:HOSTS_NAMED]) + (f" and {more} more" if more > 0 else "")
