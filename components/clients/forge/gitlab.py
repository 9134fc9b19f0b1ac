"""GitLab: comments of a merge request are its notes, and a line of one can be a command."""

from __future__ import annotations

import re
from typing import Any

from components.clients.forge.http import PAGE, ForgeHttp
from components.clients.forge.model import Author, Comment, Target

_COMMAND = re.compile(r"(?m)^(\s*)/(?=[A-Za-z])")


def headers(token: str) -> dict[str, str]:
    """What every request carries. Job tokens may not write notes, so the token is a project's or a person's."""
    return {"PRIVATE-TOKEN": token, "Accept": "application/json"}


class GitLab:
    """Notes of one merge request."""

    def __init__(self, target: Target, http: ForgeHttp) -> None:
        self.target = target
        self._http = http
        self._notes = f"/projects/{target.project}/merge_requests/{target.number}/notes"

    async def me(self) -> Author:
        """The token's account; of a project's token, its bot."""
        user: Any = self._http.document(await self._http.ask("GET", "/user"), dict)
        return Author(login=str(user["username"]), number=user.get("id"))

    async def comments(self) -> list[Comment]:
        """Every note that somebody wrote, oldest first."""
        pages = self._http.pages(self._notes, per_page=str(PAGE), order_by="created_at", sort="asc")
        return [_comment(data) async for page in pages for data in page if not data.get("system")]

    async def create(self, body: str) -> Comment:
        """A new note."""
        response = await self._http.ask("POST", self._notes, json={"body": body}, is_repeatable=False)
        return _comment(self._http.document(response, dict))

    async def update(self, number: int, body: str) -> Comment:
        """Replace the text of a note."""
        response = await self._http.ask("PUT", f"{self._notes}/{number}", json={"body": body})
        return _comment(self._http.document(response, dict))

    async def delete(self, number: int) -> None:
        """Remove a note; tolerates absence."""
        await self._http.ask("DELETE", f"{self._notes}/{number}", absent_ok=True)

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()


def inert(body: str) -> str:
    """`body` without quick actions.

    GitLab carries out a line such as `/merge` with the rights of the token. A preview quotes what a merge
    request says, so its author could have it carried out; code blocks are no protection, since the quoted
    text can end them.
    """
    return _COMMAND.sub(r"\1\\/", body)


def _comment(data: dict[str, Any]) -> Comment:
    user: dict[str, Any] | None = data.get("author")
    return Comment(
        number=int(data["id"]),
        author=Author(login=str(user["username"]), number=user.get("id")) if user else None,
        body=str(data.get("body") or ""),
    )
