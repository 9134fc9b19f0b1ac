"""Forgejo, and Gitea: GitHub's paths and shapes, another way to say who we are."""

from __future__ import annotations

from typing import Any

from components.clients.forge.github import GitHub
from components.clients.forge.model import Author


def headers(token: str) -> dict[str, str]:
    """What every request carries."""
    return {"Authorization": f"token {token}", "Accept": "application/json"}


class Forgejo(GitHub):
    """Comments of one pull request on Forgejo. Its list of comments has one page; a second is read if one is named."""

    async def me(self) -> Author:
        """The token's account; needs `read:user`, and `--author` names it where the token has none."""
        user: Any = self._http.document(await self._http.ask("GET", "/user"), dict)
        return Author(login=str(user["login"]), number=user.get("id"))
