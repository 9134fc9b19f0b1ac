"""Shows the registry a token for each repository, got with the operator's key."""

from __future__ import annotations

import re
import time
from collections.abc import Generator

import httpx

from lab.errors import LabError

_RENEW_S = 60
"""Asked for again so long before its end: a large blob takes a while, and is judged when it begins."""


class OperatorAuth(httpx.Auth):
    """Asks first and sends then: what is sent from a file cannot be sent twice."""

    requires_response_body = True

    def __init__(self, *, tokens: str, service: str, username: str, password: str) -> None:
        self._tokens, self._service = tokens, service
        self._key = httpx.BasicAuth(username, password)
        self._held: dict[str, tuple[str, float]] = {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        found = re.match(r"/v2/(.+)/(?:blobs|manifests)/", request.url.path)
        repository = found[1] if found else ""
        token, until = self._held.get(repository, ("", 0.0))
        if time.monotonic() > until:
            # one flow for the question and the key: BasicAuth only adds its header
            asked = next(self._key.auth_flow(self._question(repository)))
            answer = yield asked
            if answer.status_code != 200:
                raise LabError(
                    "the registry's issuer gives the operator no token",
                    found=f"{answer.status_code} {answer.text[:300]}",
                    remedy="read the log of registry-tokens below .lab/logs",
                )
            told = answer.json()
            token = told["token"]
            self._held[repository] = token, time.monotonic() + told["expires_in"] - _RENEW_S
        request.headers["Authorization"] = f"Bearer {token}"
        yield request

    def _question(self, repository: str) -> httpx.Request:
        scope = f"repository:{repository}:pull,push" if repository else ""
        return httpx.Request("GET", self._tokens, params={"service": self._service, "scope": scope})
