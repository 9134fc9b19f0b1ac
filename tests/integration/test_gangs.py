"""Jobs of one NVLink domain start in one rack, or give back what they hold: with the real scheduler and the real Kueue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.stages import told_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return told_by("gang_stage", tmp_path_factory.mktemp("gangs"))


def test_the_pods_of_each_job_are_in_one_rack(found: Mapping[str, Any]) -> None:
    one, two = found["racks"]
    assert [len(one), len(two)] == [2, 2]
    assert len(set(one)) == len(set(two)) == 1


def test_a_job_that_finds_no_room_gives_back_its_quota_and_is_tried_again(found: Mapping[str, Any]) -> None:
    assert found["third"]["reason"] == "PodsReadyTimeout"
    assert "Exceeded the PodsReady timeout" in found["third"]["message"], "the runbook of queues has these words"


def test_jobs_that_run_stay_where_they_are_meanwhile(found: Mapping[str, Any]) -> None:
    assert found["hosts of the others"] == ["a", "a", "b", "b"]
