"""Asks the region's metering what was measured.

Owns the PromQL API: one question, rows of labels and a value. Where it is reached is the caller's choice: through the
API server of a cluster, as operators do, or directly. Deliberately cannot write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, cast

import httpx

from components.clients.kubernetes import Object
from components.errors import DeviceError, Problem
from components.plan.serving import METRICS_NAMESPACE

PROXY = f"/api/v1/namespaces/{METRICS_NAMESPACE}/services/victoria-metrics:8428/proxy"
"""The metering behind a cluster's API server."""


class MetricsError(DeviceError):
    """The metering did not answer, or refused the question."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of an answer."""

    labels: Mapping[str, str]
    value: float


class Reader(Protocol):
    """What gets a JSON document: components.clients.kubernetes.Kubernetes, or Direct."""

    async def get(self, path: str, **query: str | int) -> Object:
        """One answer."""
        ...


class Direct:
    """A database at an address of its own; use as an async context manager."""

    def __init__(self, url: str, *, timeout_s: float = 30, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s, transport=transport, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str | int) -> Object:
        """One answer. Raises MetricsError."""
        try:
            answer = await self._http.get(path, params=query)
        except httpx.HTTPError as error:
            raise _failed(path, str(error) or type(error).__name__) from error
        try:
            return answer.json()
        except ValueError:
            raise _failed(path, f"HTTP {answer.status_code}: {answer.text.strip()[:200]}") from None


class Metrics:
    """The metering of one region."""

    def __init__(self, reader: Reader, *, base: str = PROXY) -> None:
        self._reader, self._base = reader, base

    async def query(self, expression: str, *, at: float) -> list[Row]:
        """The rows of an expression at one time, Unix seconds. Raises MetricsError, KubernetesError."""
        # Without nocache the database moves times near to now some seconds back, and with them the edges of a period.
        said = await self._reader.get(f"{self._base}/api/v1/query", query=expression, time=f"{at:.3f}", nocache=1)
        if said.get("status") != "success":
            raise _failed(expression, str(said.get("error") or "no success"))
        data = cast("Mapping[str, Any]", said.get("data") or {})
        if data.get("isPartial") or said.get("isPartial"):
            raise _failed(expression, "the answer is partial")
        if data.get("resultType") != "vector":
            raise _failed(expression, f"a vector was expected, {data.get('resultType')} came")
        return [Row(labels=each["metric"], value=float(each["value"][1])) for each in data["result"]]


def _failed(asked: str, found: str) -> MetricsError:
    problem = Problem(
        path=asked,
        message="the metering gives no answer to this",
        found=found,
        remedy=f"`kubectl -n {METRICS_NAMESPACE} get pods`; `region verify <region> --layer runtime`",
    )
    return MetricsError("the metering does not answer", [problem])
