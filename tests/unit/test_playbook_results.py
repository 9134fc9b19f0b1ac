"""Results of many processes as one: all problems at once, and who deserves a second attempt."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from components.clients import playbook_progress
from components.clients.playbook_events import FailedTask, HostStats, Progress
from components.clients.playbook_progress import ShardLog, Shards
from components.clients.playbook_result import (
    PlaybookFailedError,
    RunResult,
    attempted_again,
    deserving,
    one_after_the_other,
    side_by_side,
)

FINE = HostStats(ok=3, changed=1, failed=0, unreachable=0, skipped=0, ignored=0)
REFUSED = replace(FINE, failed=1)
DARK = HostStats(ok=1, changed=1, failed=0, unreachable=1, skipped=0, ignored=0)


def failure(host: str, message: str = "no such package", *, unreachable: bool = False) -> FailedTask:
    return FailedTask(
        host=host, role="frr", name="install", message=message, unreachable=unreachable, file="f.yml", line=2
    )


def result(
    hosts: dict[str, HostStats], *failed: FailedTask, status: str = "", lost: tuple[str, ...] = (), words: str = ""
) -> RunResult:
    return RunResult(
        playbook="bootstrap.yml",
        status=status or ("failed" if failed or lost else "successful"),
        seconds=10,
        hosts=hosts,
        failed=failed,
        reports={host: ({"role": "frr"},) for host in hosts},
        log=Path("bootstrap.log"),
        last_words=words,
        lost=lost,
    )


def test_shards_are_one_result_with_every_problem() -> None:
    bad = result({"h2": REFUSED}, failure("h2"), words="PLAY RECAP")
    killed = result({}, lost=("h3", "h4"), words="killed")
    whole = side_by_side([result({"h1": FINE}, words="done"), bad, killed], seconds=12)
    assert (whole.status, whole.seconds, set(whole.hosts)) == ("failed", 12, {"h1", "h2"})
    assert whole.changed == 2
    assert whole.undone == {"h2", "h3", "h4"}
    assert set(whole.reports) == {"h1", "h2"}
    assert whole.last_words == "PLAY RECAP\nkilled", "of those that did not succeed"
    assert [problem.path for problem in PlaybookFailedError(whole).problems] == ["h2", "h3, h4"]


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (("successful", "failed", "timeout", "canceled"), "canceled"),
        (("timeout", "failed"), "timeout"),
        (("failed", "successful"), "failed"),
        (("successful", "successful"), "successful"),
    ],
)
def test_the_worst_end_of_a_shard_is_that_of_the_run(statuses: tuple[str, ...], worst: str) -> None:
    assert side_by_side([result({}, status=status) for status in statuses], seconds=1).status == worst


def test_only_a_broken_way_and_a_killed_process_deserve_a_second_attempt() -> None:
    both = (failure("h3", "lost on the way", unreachable=True), failure("h3"))
    run = result(
        {"h1": FINE, "h2": DARK},
        failure("h2", "timed out", unreachable=True),
        *both,
        failure("h4"),
        lost=("h4", "h5"),
    )
    assert deserving(run) == ("h2", "h5")
    assert deserving(result({"h1": FINE})) == ()


def test_of_a_second_attempt_its_end_counts_and_both_did_the_work() -> None:
    first = result({"h1": FINE, "h2": DARK}, failure("h2", "timed out", unreachable=True), lost=("h3",))
    again = attempted_again(first, result({"h2": FINE, "h3": FINE}), frozenset({"h2", "h3"}))
    assert (again.status, again.undone, again.again) == ("successful", frozenset(), ("h2", "h3"))
    assert again.hosts["h2"] == replace(FINE, ok=4, changed=2)
    assert (again.seconds, again.changed) == (20, 4)


def test_a_second_attempt_does_not_hide_what_else_failed() -> None:
    dark = failure("h2", "timed out", unreachable=True)
    first = result({"h1": REFUSED, "h2": DARK}, failure("h1"), dark)
    assert attempted_again(first, result({"h2": FINE}), frozenset({"h2"})).failed == (failure("h1"),)
    still = attempted_again(first, result({"h2": DARK}, dark), frozenset({"h2"}))
    assert still.status == "failed"
    (_, problem) = PlaybookFailedError(still).problems
    assert "at the second attempt too" in str(problem)
    ended = attempted_again(first, result({}, status="canceled"), frozenset({"h2"}))
    assert ended.status == "canceled"


def test_both_parts_of_a_playbook_count() -> None:
    part = one_after_the_other(result({"h1": FINE, "h2": REFUSED}, failure("h2")), result({"h1": FINE}))
    assert (part.status, part.hosts["h1"].ok, part.undone) == ("failed", 6, {"h2"})
    assert len(part.reports["h1"]) == 2


def test_the_same_problem_on_many_hosts_is_told_once() -> None:
    hosts = [f"ess-r001-t{tray:02d}" for tray in range(1, 19)]
    run = result(dict.fromkeys(hosts, REFUSED), *map(failure, hosts), failure("other", "disk full"))
    many, one = PlaybookFailedError(run).problems
    assert many.path == "ess-r001-t01, ess-r001-t02, ess-r001-t03 and 15 more"
    assert many.message == "frr : install: no such package"
    assert (one.path, one.file, one.line) == ("other", "f.yml", 2)


def test_progress_of_shards_is_that_of_the_last_one_and_is_not_told_more_than_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(playbook_progress.time, "monotonic", lambda: clock[0])
    keys = iter((1, 2))
    monkeypatch.setattr(playbook_progress.threading, "get_ident", lambda: next(keys))
    told: list[str] = []
    shards = Shards(3, lambda progress: told.append(str(progress)))
    with shards.begin() as slow:
        with shards.begin() as quick:
            clock[0] = 110.0
            slow(Progress(playbook_task="frr : install", tasks=4, seconds=5))
            for task in range(5, 20):
                quick(Progress(playbook_task="base : verify", tasks=task, seconds=6))
            assert told == ["0 of 3 shards done, 2 at work; the last at task 4: frr : install (10 s)"]
        assert told[1:] == ["1 of 3 shards done, 1 at work; the last at task 4: frr : install (10 s)"]


def test_a_single_process_is_told_as_it_is() -> None:
    told: list[str] = []
    with Shards(1, lambda progress: told.append(str(progress))).begin() as take:
        take(Progress(playbook_task="Join", tasks=1, seconds=2))
        take(Progress(playbook_task="Verify", tasks=2, seconds=2))
    assert told == ["task 1: Join (2 s)", "task 2: Verify (2 s)"]


def test_each_line_of_a_shared_log_names_its_shard() -> None:
    log = io.StringIO()
    ShardLog(log, "h1..h9").write("TASK [x]\nok: [h1]\n")
    assert log.getvalue() == "[h1..h9] TASK [x]\n[h1..h9] ok: [h1]\n"
