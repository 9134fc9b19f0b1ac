"""GitHub: comments of a pull request are those of the issue with the same number."""

from __future__ import annotations

from typing import Any

from components.clients.forge.http import PAGE, ForgeHttp
from components.clients.forge.model import Author, Comment, ForgeError, Target
from components.errors import Problem

API_VERSION = "2022-11-28"


def headers(token: str) -> dict[str, str]:
    """What every request carries."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": API_VERSION,
    }


class GitHub:
    """Comments of one pull request on GitHub, also on an Enterprise server."""

    def __init__(self, target: Target, http: ForgeHttp) -> None:
        self.target = target
        self._http = http
        self._issues = f"/repos/{target.project}/issues"

    async def me(self) -> Author:
        """The token's account. The tokens of workflows may not ask `/user`, but all may ask for the viewer."""
        base = self.target.api.removesuffix("/v3")
        query = {"query": "query { viewer { login databaseId } }"}
        answer: Any = self._http.document(await self._http.ask("POST", f"{base}/graphql", json=query), dict)
        try:
            viewer = answer["data"]["viewer"]
            return Author(login=str(viewer["login"]), number=viewer.get("databaseId"))
        except (KeyError, TypeError, AttributeError):
            problem = Problem(
                path=str(self.target),
                message="GitHub does not say whose the token is",
                remedy="name the account: --author LOGIN",
                rule="forge-credentials",
            )
            raise ForgeError(problem) from None

    async def comments(self) -> list[Comment]:
        """Every comment, oldest first."""
        pages = self._http.pages(f"{self._issues}/{self.target.number}/comments", per_page=str(PAGE))
        return [comment(data) async for page in pages for data in page]

    async def create(self, body: str) -> Comment:
        """A new comment."""
        path = f"{self._issues}/{self.target.number}/comments"
        response = await self._http.ask("POST", path, json={"body": body}, is_repeatable=False)
        return comment(self._http.document(response, dict))

    async def update(self, number: int, body: str) -> Comment:
        """Replace the text of a comment."""
        response = await self._http.ask("PATCH", f"{self._issues}/comments/{number}", json={"body": body})
        return comment(self._http.document(response, dict))

    async def delete(self, number: int) -> None:
        """Remove a comment; tolerates absence."""
        await self._http.ask("DELETE", f"{self._issues}/comments/{number}", absent_ok=True)

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()


def comment(data: dict[str, Any]) -> Comment:
    """A comment in GitHub's shape, which is Forgejo's too."""
    user: dict[str, Any] | None = data.get("user")
    return Comment(
        number=int(data["id"]),
        author=Author(login=str(user["login"]), number=user.get("id")) if user else None,
        body=str(data.get("body") or ""),
        url=data.get("html_url"),
    )
