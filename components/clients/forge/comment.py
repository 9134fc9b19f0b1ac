"""Exactly one comment for each region on a request: find ours, then post, update or leave it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.clients.forge import http
from components.clients.forge.gitlab import inert
from components.clients.forge.model import SIZES, Author, Comment, Forge, Kind, UncertainError
from components.errors import Problem, SpecError

CREATIONS = 3
"""How often a comment is posted at most, if the forge breaks off and the comment did not appear."""
PAUSE_S = 2.0


class CommentChange(StrEnum):
    """What was done."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ABSENT = "absent"
    """There was no comment of ours, and none was wanted."""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What was done, and to which comment."""

    outcome: CommentChange
    comment: Comment | None = None
    removed: int = 0
    """Further comments of ours for the same region, left by jobs that ran side by side, that were deleted."""


def marker(region: str) -> str:
    """The first line of our comment; readers do not see it."""
    return f"<!-- gpuregion:preview:{region} -->"


def compose(kind: Kind, region: str, text: str) -> str:
    """The whole comment. Raises SpecError if it is empty or longer than the forge takes."""
    text = text.strip()
    if not text:
        raise _refusal(region, "the comment is empty", found="0 characters", allowed="text in Markdown")
    first = marker(region)
    body = text if text.splitlines()[0].strip() == first else f"{first}\n{text}"
    if kind is Kind.GITLAB:
        body = inert(body)
    limit = SIZES[kind]
    if len(body) > limit:
        raise _refusal(
            region,
            f"the comment is longer than {kind} takes",
            found=f"{len(body):,} characters",
            allowed=f"at most {limit:,} characters",
        )
    return body


async def publish(
    forge: Forge,
    region: str,
    body: str,
    *,
    author: str | None = None,
    update_only: bool = False,
) -> Posted:
    """Make `body`, from `compose`, the one comment of ours for a region. Running it again changes nothing.

    `author` is our account where the token may not ask; `update_only` leaves a request without a comment
    of ours as it is.
    """
    me = Author(login=author) if author else await forge.me()
    for attempt in range(1, CREATIONS + 1):
        mine = [c for c in await forge.comments() if _is_ours(c, me, region)]
        if mine:
            return await _renew(forge, sorted(mine, key=lambda c: c.number), body)
        if update_only:
            return Posted(outcome=CommentChange.ABSENT)
        try:
            return Posted(outcome=CommentChange.CREATED, comment=await forge.create(body))
        except UncertainError:
            # it may have been written: look before writing it a second time
            if attempt == CREATIONS:
                raise
            await http.pause(PAUSE_S * attempt)
    raise AssertionError("the last attempt returns or raises")


async def _renew(forge: Forge, mine: list[Comment], body: str) -> Posted:
    """Put `body` into the oldest, whose place in the discussion people know; a stale second one would mislead."""
    for extra in mine[1:]:
        await forge.delete(extra.number)
    removed = len(mine) - 1
    if _plain(mine[0].body) == _plain(body):
        return Posted(outcome=CommentChange.UNCHANGED, comment=mine[0], removed=removed)
    return Posted(outcome=CommentChange.UPDATED, comment=await forge.update(mine[0].number, body), removed=removed)


def _is_ours(comment: Comment, me: Author, region: str) -> bool:
    first = comment.body.lstrip().split("\n", 1)[0].strip()
    return first == marker(region) and comment.author is not None and comment.author.is_same(me)


def _plain(body: str) -> str:
    """A body without what forges change of their own accord: line ends and outer blank space."""
    return "\n".join(line.rstrip() for line in body.strip().splitlines())


def _refusal(region: str, message: str, *, found: str, allowed: str) -> SpecError:
    problem = Problem(
        path=region,
        message=message,
        found=found,
        allowed=allowed,
        remedy=f"make it with `region preview {region} --format markdown`, which folds what does not fit",
        rule="comment-size",
    )
    return SpecError("nothing was posted", [problem])
