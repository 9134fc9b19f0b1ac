"""`region comment`: puts a preview on the pull or merge request of the pipeline it runs in."""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from components.clients.forge import CommentChange, Kind, Posted, Target, compose, connect, find_target, publish
from components.clients.forge.ci import read_event
from components.errors import Problem, SpecError
from stacks.cli import output
from stacks.cli.arguments import Region
from stacks.project import ROOT, region_folder


class Where(StrEnum):
    """Which forge is meant."""

    AUTO = "auto"
    GITHUB = "github"
    GITLAB = "gitlab"
    FORGEJO = "forgejo"


def comment(
    region: Region,
    file: Annotated[str, typer.Option("--file", help="Markdown to post, as `region preview` makes it; - reads it.")],
    forge: Annotated[Where, typer.Option("--forge", help="auto: by the pipeline's own variables.")] = Where.AUTO,
    token: Annotated[
        str | None,
        typer.Option("--token", help="Reference to the token, env:NAME or file:PATH; env:GITHUB_TOKEN, by forge."),
    ] = None,
    ca: Annotated[str | None, typer.Option("--ca", help="Reference to the authority of a private forge.")] = None,
    author: Annotated[
        str | None, typer.Option("--author", help="Our account, where the token may not ask for it.")
    ] = None,
    update_only: Annotated[
        bool, typer.Option("--update-only", help="Post nothing where no comment of ours stands.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the comment and send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on standard output, for machines.")] = False,
) -> None:
    """Post a preview as the one comment of this region on the pull request, or update it there."""
    region_folder(region)
    kind = None if forge is Where.AUTO else Kind(forge)
    target = find_target(os.environ, read_event(os.environ), kind)
    body = compose(target.kind, region, _read(file))
    if dry_run:
        _show_dry(target, region, body, as_json)
        return
    posted = asyncio.run(_publish(target, region, body, token, ca, author, update_only))
    _show(target, region, posted, as_json)


async def _publish(
    target: Target, region: str, body: str, token: str | None, ca: str | None, author: str | None, update_only: bool
) -> Posted:
    forge = connect(ROOT, target, token=token, ca=ca)
    try:
        return await publish(forge, region, body, author=author, update_only=update_only)
    finally:
        await forge.close()


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
        problem = Problem(path=file, message="cannot be read", found=reason, remedy="name the file of the preview")
        raise SpecError("nothing was posted", [problem]) from None


def _show_dry(target: Target, region: str, body: str, as_json: bool) -> None:
    if as_json:
        output.machine("comment", schema=1, region=region, target=str(target), outcome="dry-run", body=body)
        return
    output.people.print(f"{target}: would get this comment of {len(body):,} characters", highlight=False)
    print(body)


def _show(target: Target, region: str, posted: Posted, as_json: bool) -> None:
    comment = posted.comment
    if as_json:
        output.machine(
            "comment",
            schema=1,
            region=region,
            target=str(target),
            outcome=posted.outcome,
            number=comment.number if comment else None,
            url=comment.url if comment else None,
            removed=posted.removed,
        )
        return
    where = (comment.url or f"comment {comment.number}") if comment else "no comment of ours"
    said = f"{target}: {where} {posted.outcome}" if posted.outcome is not CommentChange.ABSENT else f"{target}: {where}"
    output.people.print(said, highlight=False, soft_wrap=True)
    if posted.removed:
        output.people.print(f"{posted.removed} older comments of ours for {region} are deleted")
