"""A short-lived place of its own in a cluster, for what only running pods can show.

The one writer among the clients. It writes in a namespace that it makes, and removes that namespace
whatever happens; one that a killed run left is removed by the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from components.clients.kubernetes import NOT_FOUND, Kubernetes, KubernetesError, Object

PROBE_LABEL = "gpuregion.dev/probe"
STALE = timedelta(minutes=10)
"""Longer than any probe: what is older has no owner."""
POLL_S = 0.2
NAMESPACES = "/api/v1/namespaces"


class KubernetesProbe(Kubernetes):
    """A cluster in which pods may be made, within `namespace()`."""

    @asynccontextmanager
    async def namespace(self) -> AsyncGenerator[str]:
        """A fresh namespace; removed with all that is in it. Raises KubernetesError."""
        await self._remove_stale()
        made = await self.create(
            NAMESPACES,
            {
                "metadata": {
                    "generateName": "region-probe-",
                    "labels": {PROBE_LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"},
                }
            },
        )
        name = str(made["metadata"]["name"])
        try:
            yield name
        finally:
            await self._remove(name)

    async def create(self, path: str, body: Object) -> Object:
        """Make an object. Raises KubernetesError."""
        return (await self._request("POST", path, {}, body)).json()

    async def finished(self, namespace: str, selector: str, *, count: int, within_s: float) -> list[Object]:
        """Pods of a label, once `count` of them have ended, or as they are when time is up."""
        return await self._pods(namespace, selector, "Succeeded Failed", count, within_s)

    async def running(self, namespace: str, selector: str, *, count: int, within_s: float) -> list[Object]:
        """Pods of a label, once `count` of them run, or as they are when time is up."""
        return await self._pods(namespace, selector, "Running", count, within_s)

    async def _pods(self, namespace: str, selector: str, phases: str, count: int, within_s: float) -> list[Object]:
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            pods = await self.items(f"{NAMESPACES}/{namespace}/pods", labelSelector=selector)
            there = sum(pod["status"].get("phase") in phases.split() for pod in pods)
            if there >= count or asyncio.get_running_loop().time() > deadline:
                return pods
            await asyncio.sleep(POLL_S)

    async def _remove(self, name: str) -> None:
        try:
            await self._request("DELETE", f"{NAMESPACES}/{name}", {})
        except KubernetesError as error:
            if error.status != NOT_FOUND:
                raise

    async def _remove_stale(self) -> None:
        for namespace in await self.items(NAMESPACES, labelSelector=f"{PROBE_LABEL}=true"):
            made = datetime.fromisoformat(str(namespace["metadata"]["creationTimestamp"]))
            if datetime.now(UTC) - made > STALE:
                await self._remove(str(namespace["metadata"]["name"]))
