"""Logs of a service: in order of time, whatever order kubectl read them in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from stacks.cli.service_logs import in_order, show_logs

READ = [
    "[pod/echo-1/echo] 2026-11-28T14:39:32.5Z ready",
    "[pod/echo-1/echo] 2026-11-28T14:39:33Z answers",
    "[pod/echo-1/weights] 2026-11-28T14:39:31.123456789Z fetching 3 files",
    "[pod/echo-1/weights] 2026-11-28T15:39:32.25+01:00 verified",
]


def test_lines_come_in_the_order_in_which_they_were_written() -> None:
    assert in_order(READ) == [
        "[pod/echo-1/weights] fetching 3 files",
        "[pod/echo-1/weights] verified",
        "[pod/echo-1/echo] ready",
        "[pod/echo-1/echo] answers",
    ]


def test_lines_of_one_time_stay_as_they_came() -> None:
    lines = [f"[pod/a/a] 2026-11-28T14:39:31Z {text}" for text in ("third", "first", "second")]
    assert in_order(lines) == ["[pod/a/a] third", "[pod/a/a] first", "[pod/a/a] second"]


def test_an_empty_line_and_one_without_a_time_are_kept() -> None:
    lines = ["[pod/a/a] 2026-11-28T14:39:31Z ", "unable to read the log", "[pod/b/b] 2026-11-28T14:39:30Z first"]
    assert in_order(lines) == ["[pod/b/b] first", "[pod/a/a] ", "unable to read the log"]


def kubectl(folder: Path, *, code: int = 0) -> list[str]:
    """A stand-in that prints its arguments as a line of a log."""
    path = folder / "kubectl"
    path.write_text(f'#!/bin/sh\necho "[pod/a/a] 2026-11-28T14:39:31Z $*"\nexit {code}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return [str(path)]


def test_lines_that_are_followed_are_not_held_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert show_logs(kubectl(tmp_path), selector="a=b", tail=5, follow=True, previous=False)
    words = capfd.readouterr().out.split()
    assert "--follow" in words and "--timestamps" not in words


def test_more_containers_are_followed_than_kubectl_allows_unless_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    show_logs(kubectl(tmp_path), selector="a=b", tail=5, follow=True, previous=False)
    assert "--max-log-requests=1000" in capfd.readouterr().out


def test_a_failure_of_kubectl_is_told_after_what_it_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert not show_logs(kubectl(tmp_path, code=1), selector="a=b", tail=5, follow=False, previous=True)
    assert "--previous" in capfd.readouterr().out
