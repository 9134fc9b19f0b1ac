"""Where the time of a wake goes, from what the API, the host's journal and the program told."""

from __future__ import annotations

import pytest

from benchmarks.wake import STEPS, Wake, of_containerd

POD = "hello-gpu-7c9d6b5f4-x2x9k"
JOURNAL = rf"""
time="2026-01-02T03:04:05.000000000Z" level=info msg="RunPodSandbox for name:\"other-1\" uid:\"u\" namespace:\"a\""
time="2026-01-02T03:04:05.100000000Z" level=info msg="RunPodSandbox for name:\"{POD}\" uid:\"u\" namespace:\"a\""
time="2026-01-02T03:04:05.250123456Z" level=info msg="RunPodSandbox for name:\"{POD}\" uid:\"u\" returns sandbox id \"5a5a\""
time="2026-01-02T03:04:05.260000000Z" level=info msg="CreateContainer within sandbox \"5a5a\" for container name:\"hello-gpu\""
time="2026-01-02T03:04:05.300000000Z" level=info msg="CreateContainer within sandbox \"5a5a\" for name:\"hello-gpu\" returns container id \"c0\""
time="2026-01-02T03:04:05.400000000Z" level=info msg="CreateContainer within sandbox \"ffff\" for name:\"x\" returns container id \"c1\""
"""
BASE = 1767323045.0
"""2026-01-02T03:04:05Z."""


def test_the_journal_of_the_host_tells_when_one_pod_was_asked_for_and_made() -> None:
    found = of_containerd(JOURNAL, POD)
    assert {moment: round(at - BASE, 3) for moment, at in found.items()} == {
        "asked": 0.1,
        "sandbox": 0.25,
        "container": 0.3,
    }


def test_a_journal_without_the_pod_tells_nothing() -> None:
    assert of_containerd(JOURNAL, "stranger") == {}


def wake(**at: float) -> Wake:
    found = Wake()
    found.began, found.at = 10.0, at
    return found


def test_the_steps_of_a_wake_add_up_to_all_of_it() -> None:
    found = wake(named=10.01, scaled=10.2, created=10.25, bound=10.3, started=10.7, endpoint=10.8, answered=10.9)
    assert sum(seconds for _, seconds in found.durations()) == pytest.approx(found.seconds) == pytest.approx(0.9)


def test_a_moment_that_nobody_told_or_that_was_told_late_counts_as_nothing() -> None:
    late = dict(wake(scaled=10.5, created=10.2, bound=10.6, answered=11.0).durations())
    assert late["created"] == 0
    assert late["bound"] == pytest.approx(0.1)
    assert late["sandbox"] == 0
    assert late["answered"] == pytest.approx(0.4)
    assert set(late) == {moment for moment, _ in STEPS}


def test_a_pod_that_ends_is_not_the_one_that_starts() -> None:
    found = Wake()
    found.on_pod({"metadata": {"name": "old", "deletionTimestamp": "now"}, "spec": {"nodeName": "n"}})
    assert found.at == {}
    found.on_pod({"metadata": {"name": "new"}, "spec": {"nodeName": "n"}})
    assert (found.pod, found.node, set(found.at)) == ("new", "n", {"created", "bound"})
