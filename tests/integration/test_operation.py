"""Changes by hand and their explanations hold on a real API server: what a quota refuses, how a Deployment says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.stages import told_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return told_by("operation_stage", tmp_path_factory.mktemp("operation"))


def test_a_hold_refuses_new_pods_and_is_explained_in_the_words_of_the_api(found: Mapping[str, Any]) -> None:
    assert found["before"]["cause"] == "asleep"
    assert found["held"]["cause"] == "held-by-budget"
    assert "exceeded quota: budget" in found["held"]["evidence"][0]
    assert (found["held"]["ready"], found["held"]["wanted"]) == (0, 1)
    assert found["is held"] is True


def test_a_release_lets_it_start_and_a_second_one_finds_nothing(found: Mapping[str, Any]) -> None:
    assert found["removed"] == [True, False]
    assert found["released"]["cause"] == "starting"


def test_a_restart_changes_an_annotation_of_the_template_and_nothing_else(found: Mapping[str, Any]) -> None:
    assert found["restarted"] == [None, {"restartedAt": "now"}]
    assert found["same containers"] is True


def test_a_used_up_quota_is_told_with_what_is_used_of_it(found: Mapping[str, Any]) -> None:
    assert found["over quota"]["cause"] == "waiting-for-quota"
    assert any("quota tenant: pods 2 of 2" in line for line in found["over quota"]["evidence"]), found["over quota"]


def test_an_annotation_is_set_and_taken_away(found: Mapping[str, Any]) -> None:
    assert found["annotations"] == ["2", None]
