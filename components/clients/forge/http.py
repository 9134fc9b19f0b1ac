"""HTTP to a forge: when to ask again, when to stop, and what to tell the operator.

Asks again after 429 and 5xx, as late as the forge says, with jitter so that the jobs of one pipeline do
not come back at once. Never asks again after 401, 403 or 404: those need a person. A request that acts
and got no answer is reported as uncertain; only the caller can look whether it arrived.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx

from components.clients.forge.model import ForgeError, Target, UncertainError
from components.clients.redaction import redact
from components.errors import Problem

ATTEMPTS = 6
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
"""Longest pause of our own choice."""
PATIENCE_S = 120.0
"""Longest pause that a forge may ask for; a job that sleeps longer holds a runner for nothing."""
PAGE = 100
MOST_PAGES = 100

REMEDIES = {
    401: "the token is wrong or has ended: renew it",
    403: "the token may not do this: give it the permission that docs/guides/pipelines.md names",
    404: "the project or request does not exist, or the token may not see it",
}


async def pause(seconds: float) -> None:
    """Wait before a request is sent again."""
    await asyncio.sleep(seconds)


class ForgeHttp:
    """One forge's API under its base address."""

    def __init__(
        self,
        target: Target,
        headers: Mapping[str, str],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._target = target
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "gpuregion", **headers},
            verify=tls or True,
            timeout=httpx.Timeout(30, connect=10),
            follow_redirects=False,  # the token is for this address and no other
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def pages(self, path: str, **query: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Each page of a list. Follows the number of the next page, never the address in the header."""
        page = 1
        for _ in range(MOST_PAGES):
            response = await self.ask("GET", path, params={**query, "page": str(page)})
            yield cast("list[dict[str, Any]]", self.document(response, list))
            following = httpx.URL(response.links.get("next", {}).get("url", "")).params.get("page", "")
            if not following.isdecimal() or int(following) <= page:
                return
            page = int(following)
        raise self._error("forge-answer", "the forge lists comments without an end", f"{MOST_PAGES} pages")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        is_repeatable: bool = True,
        absent_ok: bool = False,
    ) -> httpx.Response:
        """The answer to one request, success guaranteed. `path` may be a whole address of the same forge."""
        address = path if "://" in path else f"{self._target.api}{path}"
        for attempt in range(1, ATTEMPTS + 1):
            is_last = attempt == ATTEMPTS
            seconds = random.uniform(0.5, 1.0) * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempt - 1))  # noqa: S311
            try:
                response = await self._http.request(method, address, json=json, params=params)
            except httpx.TransportError as error:
                failure = self._unreachable(error)
                if not is_repeatable and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise UncertainError(failure.problems[0]) from None
                if is_last or _is_certificate(error):
                    raise failure from None
            else:
                if response.is_success or (absent_ok and response.status_code == 404):
                    return response
                if response.status_code >= 500 and not is_repeatable:
                    raise UncertainError(self._refusal(response).problems[0], response.status_code)
                asked = _asked_pause(response)
                if not _is_not_now(response) or is_last or (asked or 0) > PATIENCE_S:
                    raise self._refusal(response)
                if asked is not None:
                    seconds += asked
            await pause(seconds)
        raise AssertionError("the last attempt returns or raises")

    def document(self, response: httpx.Response, shape: type) -> Any:
        """The JSON of an answer; a page of a proxy or a login form is told apart from it."""
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, shape):
            raise self._error(
                "forge-answer",
                "the answer is not the forge's API",
                f"HTTP {response.status_code}, {response.headers.get('content-type', 'no content type')}",
                remedy=f"check that {self._target.api} is the address of the API",
            )
        return document

    def _refusal(self, response: httpx.Response) -> ForgeError:
        status = response.status_code
        found = f"HTTP {status}: {_reason(response)}"
        asked = _asked_pause(response)
        if asked is not None and status in (403, 429):
            remedy = f"the forge limits this token: run the job again in {asked:.0f} s"
        elif status == 429 or status >= 500:
            remedy = "the forge is busy or broken: run the job again later"
        elif response.is_redirect:
            remedy = "the project has moved: use its new address"
        else:
            remedy = REMEDIES.get(status, "see docs/guides/pipelines.md")
        rule = {401: "forge-credentials", 403: "forge-permission", 404: "forge-not-found"}.get(status, "forge-refused")
        return self._error(rule, "the forge refused a request", found, remedy=remedy, status=status)

    def _unreachable(self, error: httpx.TransportError) -> ForgeError:
        found = str(error) or type(error).__name__
        if _is_certificate(error):
            remedy = "name the authority of its certificate: --ca file:PATH"
            return self._error("forge-certificate", "the forge's certificate is not trusted", found, remedy=remedy)
        remedy = f"check that {self._target.api} can be reached from this runner"
        return self._error("forge-unreachable", "the forge does not answer", found, remedy=remedy)

    def _error(
        self, rule: str, message: str, found: str, *, remedy: str | None = None, status: int | None = None
    ) -> ForgeError:
        problem = Problem(path=str(self._target), message=message, found=redact(found), remedy=remedy, rule=rule)
        return ForgeError(problem, status)


def _is_not_now(response: httpx.Response) -> bool:
    return response.status_code == 429 or response.status_code >= 500


def _is_certificate(error: httpx.TransportError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _asked_pause(response: httpx.Response) -> float | None:
    """Seconds that the forge asks us to wait, if it does: Retry-After, or the end of GitHub's budget."""
    after = response.headers.get("Retry-After", "").strip()
    if after.isdecimal():
        return float(after)
    if after:
        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - time.time())
        except ValueError:
            return None
    reset = response.headers.get("X-RateLimit-Reset", "")
    if response.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return max(0.0, int(reset) - time.time())
    return None


def _reason(response: httpx.Response) -> str:
    """The forge's own sentence, at most a few lines of it."""
    try:
        data: Any = response.json()
        reason = data.get("message") or data.get("error_description") or data.get("error") or data
    except (ValueError, AttributeError):
        reason = response.text
    return " ".join(str(reason).split())[:300]
