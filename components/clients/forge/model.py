"""What the three forges have in common: a request that is commented, its comments, their authors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from components.errors import DeviceError, Problem


class Kind(StrEnum):
    """A forge whose comments we can write."""

    GITHUB = "github"
    GITLAB = "gitlab"
    FORGEJO = "forgejo"


TOKENS = {Kind.GITHUB: "env:GITHUB_TOKEN", Kind.GITLAB: "env:GITLAB_TOKEN", Kind.FORGEJO: "env:FORGEJO_TOKEN"}
"""Where the token is if nothing else is said: a reference, never a value."""

SIZES = {Kind.GITHUB: 65_536, Kind.GITLAB: 1_000_000, Kind.FORGEJO: 1_000_000}
"""Longest comment in characters. GitHub and GitLab document theirs; Forgejo has none, so ours is a bound of our own."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A pull or merge request."""

    kind: Kind
    api: str
    """Base of the API, e.g. `https://api.github.com`, without a slash at its end."""
    project: str
    """`owner/name`, on GitLab the number of the project."""
    number: int
    """Number of the request within the project."""

    def __str__(self) -> str:
        return f"{self.kind} {self.project}{'!' if self.kind is Kind.GITLAB else '#'}{self.number}"


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who wrote a comment, or who we are."""

    login: str
    number: int | None = None
    """The forge's own number, which survives a change of name; None if it is not known."""

    def is_same(self, other: Author) -> bool:
        """Whether both are one account."""
        if self.number is not None and other.number is not None:
            return self.number == other.number
        return self.login.casefold() == other.login.casefold()


@dataclass(frozen=True, kw_only=True)
class Comment:
    """One comment of a request."""

    number: int
    author: Author | None
    """None if the account is gone."""
    body: str
    url: str | None = None
    """For a browser, where the forge tells it."""


class Forge(Protocol):
    """The few things that we ask of a forge, about the one request of `target`."""

    @property
    def target(self) -> Target:
        """The request that is commented."""
        ...

    async def me(self) -> Author:
        """The account that the token belongs to."""
        ...

    async def comments(self) -> list[Comment]:
        """Every comment of the request, oldest first."""
        ...

    async def create(self, body: str) -> Comment:
        """A new comment. Raises UncertainError if nobody knows whether it was written."""
        ...

    async def update(self, number: int, body: str) -> Comment:
        """Replace the text of a comment."""
        ...

    async def delete(self, number: int) -> None:
        """Remove a comment; tolerates absence."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


class ForgeError(DeviceError):
    """A forge cannot be reached, or refused what was asked."""

    def __init__(self, problem: Problem, status: int | None = None) -> None:
        super().__init__("the pull request cannot be commented", [problem])
        self.status = status


class UncertainError(ForgeError):
    """A request that acts got no answer: what it asked for may have happened."""
