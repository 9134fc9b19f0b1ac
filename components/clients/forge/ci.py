"""Which pull or merge request a pipeline runs for, from the variables that its forge sets.

Pure but for `read_event`: GitHub and Forgejo put the number of the request into a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from components.clients.forge.model import Kind, Target
from components.errors import Problem, SpecError

_REF = re.compile(r"refs/pull/(\d+)/")
_PROJECT = re.compile(r"(?!\.+/)[\w.-]+/(?!\.+$)[\w.-]+")
_REMEDY = "run this in a pipeline of a pull or merge request; docs/guides/pipelines.md"


def detect(variables: Mapping[str, str]) -> Kind | None:
    """The forge whose pipeline this is. Forgejo sets GitHub's variables too, so it is asked first."""
    if "true" in (variables.get("FORGEJO_ACTIONS"), variables.get("GITEA_ACTIONS")):
        return Kind.FORGEJO
    if variables.get("GITLAB_CI") == "true":
        return Kind.GITLAB
    if variables.get("GITHUB_ACTIONS") == "true":
        return Kind.GITHUB
    return None


def read_event(variables: Mapping[str, str]) -> Mapping[str, Any]:
    """The event that started a pipeline of GitHub or Forgejo; empty if there is none."""
    try:
        event = json.loads(Path(variables["GITHUB_EVENT_PATH"]).read_text())
    except (KeyError, OSError, ValueError):
        return {}
    return cast("Mapping[str, Any]", event) if isinstance(event, dict) else {}


def find_target(variables: Mapping[str, str], event: Mapping[str, Any], kind: Kind | None = None) -> Target:
    """The request to comment. Raises SpecError that names each variable that is missing."""
    kind = kind or detect(variables)
    match kind:
        case Kind.GITLAB:
            return _gitlab(variables)
        case Kind.GITHUB | Kind.FORGEJO:
            return _github_like(kind, variables, event)
        case None:
            raise _missing("no forge is recognised", ["GITHUB_ACTIONS", "GITLAB_CI", "FORGEJO_ACTIONS"])


def _gitlab(variables: Mapping[str, str]) -> Target:
    # in a merge request from a fork CI_PROJECT_ID is the fork: the request is in the other project
    project = variables.get("CI_MERGE_REQUEST_PROJECT_ID") or variables.get("CI_PROJECT_ID", "")
    number = variables.get("CI_MERGE_REQUEST_IID", "")
    api = variables.get("CI_API_V4_URL", "")
    missing = [
        name
        for name, is_there in (
            ("CI_API_V4_URL", bool(api)),
            ("CI_PROJECT_ID", project.isdecimal()),
            ("CI_MERGE_REQUEST_IID", number.isdecimal()),
        )
        if not is_there
    ]
    if missing:
        raise _missing("no merge request is named", missing)
    return Target(kind=Kind.GITLAB, api=api.rstrip("/"), project=project, number=int(number))


def _github_like(kind: Kind, variables: Mapping[str, str], event: Mapping[str, Any]) -> Target:
    project = variables.get("GITHUB_REPOSITORY", "")
    api = variables.get("GITHUB_API_URL", "") or _api_of(kind, variables.get("GITHUB_SERVER_URL", ""))
    number = _number(variables, event)
    missing = [
        name
        for name, is_there in (
            ("GITHUB_API_URL or GITHUB_SERVER_URL", bool(api)),
            ("GITHUB_REPOSITORY", _PROJECT.fullmatch(project)),
            ("GITHUB_EVENT_PATH with a pull request", number),
        )
        if not is_there
    ]
    if missing or number is None:
        raise _missing("no pull request is named", missing)
    return Target(kind=kind, api=api.rstrip("/"), project=project, number=number)


def _api_of(kind: Kind, server: str) -> str:
    """Where the API of a server is, if the forge does not say."""
    server = server.rstrip("/")
    if not server:
        return ""
    if kind is Kind.FORGEJO:
        return f"{server}/api/v1"
    return "https://api.github.com" if server == "https://github.com" else f"{server}/api/v3"


def _number(variables: Mapping[str, str], event: Mapping[str, Any]) -> int | None:
    request: Any = event.get("pull_request")
    found: Any = cast("dict[str, Any]", request).get("number") if isinstance(request, dict) else None
    if isinstance(found, int):
        return found
    ref = _REF.match(variables.get("GITHUB_REF", ""))
    return int(ref[1]) if ref else None


def _missing(message: str, names: list[str]) -> SpecError:
    problem = Problem(
        path="environment",
        message=message,
        found="not set: " + ", ".join(names),
        allowed="the variables of GitHub Actions, GitLab CI or Forgejo Actions",
        remedy=_REMEDY,
        rule="forge-environment",
    )
    return SpecError("there is no pull request to comment", [problem])
