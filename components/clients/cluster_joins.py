"""How an API server bears the machines that join.

Owns the look: one small read, and the requests for certificates that wait. Deliberately decides nothing of the pace:
components/engine/join_pace.py does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from components.clients.kubernetes import Kubernetes, KubernetesError, Object
from components.engine.join_pace import SLOWEST_S, Sight

CONFIGURATION = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
"""A small object that every join reads too. Readers of this kind share a queue with the machines that join, so a
look waits as long as they do; `/readyz` would pass them by."""
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
_AGAIN_S = 0.5


class ClusterJoins(Kubernetes):
    """A cluster that machines join."""

    _pending: frozenset[str] | None = None

    async def look(self) -> Sight:
        """How the API server does at this moment."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(SLOWEST_S):
                await self.get(CONFIGURATION)
        except (KubernetesError, TimeoutError):
            return Sight(answer_s=None, pending=len(self._pending or ()))
        return Sight(answer_s=time.monotonic() - began, pending=len(self._pending or ()))

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Know which requests for a certificate wait, as long as the block lasts."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def waiting_requests(self) -> list[str]:
        """Names of the requests for a node's certificate that have none. Raises KubernetesError."""
        return [str(request["metadata"]["name"]) for request in await self.items(REQUESTS) if _waits(request)]

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(KubernetesError):
                # Without a version the watch begins with what is there.
                pending: set[str] = set()
                async for event in self.watch(REQUESTS, fieldSelector=f"spec.signerName={SIGNER}"):
                    name = str(event.object["metadata"].get("name", ""))
                    if event.kind in ("ADDED", "MODIFIED") and _waits(event.object):
                        pending.add(name)
                    else:
                        pending.discard(name)
                    self._pending = frozenset(pending)
            await asyncio.sleep(_AGAIN_S)


def _waits(request: Object) -> bool:
    status = request.get("status", {})
    if status.get("certificate"):
        return False
    return not any(condition["type"] in ("Denied", "Failed") for condition in status.get("conditions", ()))
