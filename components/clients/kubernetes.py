"""Reads a Kubernetes cluster.

Owns the transport: TLS in both directions, pages, watches, errors in an operator's words. Objects
are plain JSON, as the API tells them. Deliberately cannot write: what writes is Pulumi, the
playbooks, the short-lived probe of the checks (kubernetes_probe.py), and an operator's few own
changes (kubernetes_change.py).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from components.clients.kubeconfig import Kubeconfig, read_kubeconfig
from components.errors import DeviceError, Problem

Object = Mapping[str, Any]
"""An object of the API."""

NOT_FOUND = 404

PAGE = 500
"""Objects asked for at once: a list of 5,000 pods in one piece holds up the API server."""


class KubernetesError(DeviceError):
    """The API did not answer, or refused."""

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, status: int | None = None) -> None:
        super().__init__(message, problems)
        self.status = status
        """HTTP status; None if there was no answer."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change that a watch tells."""

    kind: str
    """`ADDED`, `MODIFIED`, `DELETED`."""
    object: Object


class Kubernetes:
    """One cluster; use as an async context manager."""

    def __init__(
        self,
        access: Kubeconfig,
        *,
        timeout_s: float = 10,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.server = access.server
        self._http = httpx.AsyncClient(
            base_url=access.server,
            verify=tls or (access.tls() if transport is None else True),
            timeout=timeout_s,
            transport=transport,
            trust_env=False,
        )

    @classmethod
    def from_file(cls, path: Path, *, timeout_s: float = 10) -> Self:
        """The cluster of a kubeconfig. Raises KubeconfigError."""
        return cls(read_kubeconfig(path), timeout_s=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str | int) -> Object:
        """One object, or any other JSON answer. Raises KubernetesError; its status is 404 if it is not there."""
        return (await self._request("GET", path, query)).json()

    async def find(self, path: str, **query: str | int) -> Object | None:
        """One object, or None if it is not there. Raises KubernetesError."""
        try:
            return await self.get(path, **query)
        except KubernetesError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def items(self, path: str, **query: str | int) -> list[Object]:
        """All objects of a collection, page by page; none if the cluster does not know the kind.

        Raises KubernetesError.
        """
        found: list[Object] = []
        more = ""
        while True:
            page = await self.find(path, **query, limit=PAGE, **({"continue": more} if more else {}))
            if page is None:
                return found
            found += page["items"]
            more = page["metadata"].get("continue", "")
            if not more:
                return found

    async def text(self, path: str) -> str:
        """An answer that is not JSON, such as `/readyz`, or a pod's own through the API. Raises KubernetesError."""
        return (await self._request("GET", path, {})).text

    async def watch(self, path: str, **query: str | int) -> AsyncIterator[Event]:
        """Changes as they happen, until the server ends the watch. Raises KubernetesError."""
        timeout = httpx.Timeout(self._http.timeout.connect, read=None)
        try:
            async with self._http.stream("GET", path, params={**query, "watch": 1}, timeout=timeout) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise _refused(answer)
                async for line in answer.aiter_lines():
                    event = json.loads(line)
                    yield Event(kind=event["type"], object=event["object"])
        except httpx.HTTPError as error:
            raise _unreachable(self.server, error) from error

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Object | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            sent: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
            answer = await self._http.request(method, path, params=dict(query), headers=headers, **sent)
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise _unreachable(self.server, error) from error
        if answer.is_error:
            raise _refused(answer)
        return answer


def _unreachable(server: str, error: Exception) -> KubernetesError:
    problem = Problem(
        path=server,
        message="the API server does not answer",
        found=str(error) or type(error).__name__,
        remedy="see docs/runbooks/NodeNotReady.md",
    )
    return KubernetesError("the cluster does not answer", [problem])


def _refused(answer: httpx.Response) -> KubernetesError:
    try:
        message = str(answer.json().get("message", answer.text))
    except (ValueError, AttributeError):
        message = answer.text.strip() or answer.reason_phrase
    problem = Problem(
        path=answer.request.url.path,
        message=message,
        found=f"HTTP {answer.status_code}",
        remedy="see docs/runbooks/NodeNotReady.md" if answer.is_server_error else None,
    )
    return KubernetesError("the cluster refused a request", [problem], status=answer.status_code)
