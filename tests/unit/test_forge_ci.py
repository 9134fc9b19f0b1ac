"""Which request a pipeline runs for, from the variables that each forge sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.clients.forge import Kind, Target, find_target
from components.clients.forge.ci import read_event
from components.errors import SpecError

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "cloud/regions",
    "GITHUB_REF": "refs/pull/12/merge",
}
FORGEJO = {
    **GITHUB,
    "FORGEJO_ACTIONS": "true",
    "GITEA_ACTIONS": "true",
    "GITHUB_API_URL": "https://code.example/api/v1",
    "GITHUB_SERVER_URL": "https://code.example",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "77",
    "CI_MERGE_REQUEST_IID": "12",
}
EVENT = {"pull_request": {"number": 12}}


@pytest.mark.parametrize(
    ("variables", "event", "expected"),
    [
        (GITHUB, EVENT, ("github", "https://api.github.com", "cloud/regions", 12)),
        (GITHUB, {}, ("github", "https://api.github.com", "cloud/regions", 12)),
        ({**GITHUB, "GITHUB_REF": "refs/heads/x"}, EVENT, ("github", "https://api.github.com", "cloud/regions", 12)),
        ({**GITHUB, "GITHUB_API_URL": ""}, EVENT, ("github", "https://api.github.com", "cloud/regions", 12)),
        (
            {**GITHUB, "GITHUB_API_URL": "", "GITHUB_SERVER_URL": "https://ghe.example/"},
            EVENT,
            ("github", "https://ghe.example/api/v3", "cloud/regions", 12),
        ),
        (FORGEJO, EVENT, ("forgejo", "https://code.example/api/v1", "cloud/regions", 12)),
        (
            {**FORGEJO, "FORGEJO_ACTIONS": "", "GITHUB_API_URL": ""},
            EVENT,
            ("forgejo", "https://code.example/api/v1", "cloud/regions", 12),
        ),
        (GITLAB, {}, ("gitlab", "https://gitlab.example/api/v4", "77", 12)),
        (
            {**GITLAB, "CI_PROJECT_ID": "900", "CI_MERGE_REQUEST_PROJECT_ID": "77"},  # a fork's pipeline
            {},
            ("gitlab", "https://gitlab.example/api/v4", "77", 12),
        ),
    ],
)
def test_the_request_is_that_of_the_pipeline(
    variables: dict[str, str], event: dict[str, Any], expected: tuple[str, str, str, int]
) -> None:
    kind, api, project, number = expected
    assert find_target(variables, event) == Target(kind=Kind(kind), api=api, project=project, number=number)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "GITHUB_ACTIONS, GITLAB_CI, FORGEJO_ACTIONS"),
        ({**GITHUB, "GITHUB_REF": "refs/heads/main"}, "GITHUB_EVENT_PATH with a pull request"),
        ({**GITHUB, "GITHUB_REPOSITORY": "../evil"}, "GITHUB_REPOSITORY"),
        ({**GITLAB, "CI_MERGE_REQUEST_IID": ""}, "CI_MERGE_REQUEST_IID"),
        ({"GITLAB_CI": "true"}, "CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID"),
    ],
)
def test_a_pipeline_without_a_request_is_told_which_variables_it_lacks(variables: dict[str, str], named: str) -> None:
    with pytest.raises(SpecError) as refused:
        find_target(variables, {})
    assert [p.found for p in refused.value.problems] == [f"not set: {named}"]


def test_a_forge_that_is_named_wins_over_the_one_that_is_recognised() -> None:
    assert (
        find_target({**GITHUB, "GITHUB_API_URL": "https://code.example/api/v1"}, EVENT, Kind.FORGEJO).kind == "forgejo"
    )


def test_the_event_is_read_from_its_file_and_its_absence_is_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENT))
    assert read_event({"GITHUB_EVENT_PATH": str(path)}) == EVENT
    path.write_text("[")
    assert read_event({"GITHUB_EVENT_PATH": str(path)}) == {}
    assert read_event({}) == {}
