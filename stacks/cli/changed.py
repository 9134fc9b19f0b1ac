"""`region changed`: which regions a change concerns, for pipelines that preview no more than those.

Unknown paths concern every region: a preview too many says "nothing changes", one too few hides a
physical consequence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from components.clients.git import changed_paths
from stacks.cli import output
from stacks.project import REGIONS, ROOT, region_names

FOLDER = REGIONS.relative_to(ROOT).as_posix() + "/"
HARMLESS = ("docs/", "tests/", "benchmarks/", "lab/", ".ci/", ".github/", ".gitlab/", ".forgejo/")
"""Folders from which no region is made. The lab's machines are hardware, as those of a datacenter are."""
HARMLESS_FILES = (".gitlab-ci.yml", ".gitignore", ".yamllint", ".ansible-lint", ".pre-commit-config.yaml", "LICENSE")
GITLAB_TEMPLATE = "/.gitlab/region.yml"
"""Jobs of one region; takes its name as an input."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change means for the regions; names are sorted."""

    regions: tuple[str, ...]
    """Regions to preview."""
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    """Regions whose description is gone: nothing is left to preview, and their machines run on."""


def concerned(paths: Iterable[str], regions: Sequence[str]) -> Change:
    """The regions that files concern, of those that exist now. Pure."""
    touched: set[str] = set()
    removed: set[str] = set()
    for path in paths:
        if path.startswith(HARMLESS) or path in HARMLESS_FILES or ("/" not in path and path.endswith(".md")):
            continue
        name, _, below = path.removeprefix(FOLDER).partition("/")
        if not path.startswith(FOLDER) or not below or name.startswith("_"):
            touched.update(regions)
        elif name in regions:
            touched.add(name)
        else:
            removed.add(name)
    return Change(
        regions=tuple(sorted(touched)),
        unchanged=tuple(sorted(set(regions) - touched)),
        removed=tuple(sorted(removed)),
    )


def child_pipeline(regions: Sequence[str]) -> dict[str, Any]:
    """A GitLab pipeline with the jobs of each region; GitLab refuses one without jobs."""
    if not regions:
        always = {"rules": [{"when": "always"}]}
        return {"workflow": always, "nothing": {"script": ["echo 'no region is concerned'"]}}
    return {"include": [{"local": GITLAB_TEMPLATE, "inputs": {"region": region}} for region in regions]}


class Format(StrEnum):
    """How the regions are listed."""

    TEXT = "text"
    JSON = "json"
    GITLAB = "gitlab"


def changed(
    base: Annotated[str, typer.Option("--base", help="Commit or branch to compare HEAD with, from where both part.")],
    unchanged: Annotated[bool, typer.Option("--unchanged", help="List the regions that it does not concern.")] = False,
    form: Annotated[Format, typer.Option("--format", help="gitlab is a child pipeline.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on standard output, for machines.")] = False,
) -> None:
    """List the regions that a change concerns, one a line: those to preview. Reads git only."""
    change = concerned(changed_paths(ROOT, base), region_names())
    if as_json or form is Format.JSON:
        output.machine("changed", schema=1, base=base, **vars(change))
        return
    for region in change.removed:
        output.people.print(
            f"{region} is described no more; its machines and state stay until `region forget {region}`"
        )
    chosen = change.unchanged if unchanged else change.regions
    if form is Format.GITLAB:
        print(json.dumps(child_pipeline(chosen), indent=2))
        return
    for region in chosen:
        print(region)
