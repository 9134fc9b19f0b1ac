"""The few changes that an operator makes by a command: annotations, an object that holds a tenant, recorded figures.

Owns the writing. Each change can be made twice, and says under which name it was made, so that the API server keeps it
apart from what Pulumi, KEDA and the kubelets write.
"""

from __future__ import annotations

from typing import Any

from components.clients.kubernetes import NOT_FOUND, Kubernetes, KubernetesError, Object

MANAGER = "region"
"""Name of the writer, as managed fields show it."""
MERGE = {"Content-Type": "application/merge-patch+json"}


class KubernetesChange(Kubernetes):
    """A cluster in which these changes may be made."""

    async def annotate(self, path: str, annotations: dict[str, str | None], **spec: Any) -> Object:
        """Set annotations of an object, or remove those that are None; `spec` is merged in too. Raises KubernetesError."""
        body: dict[str, Any] = {"metadata": {"annotations": annotations}}
        if spec:
            body["spec"] = spec
        return (await self._request("PATCH", path, {"fieldManager": MANAGER}, body, MERGE)).json()

    async def put(self, collection: str, body: Object) -> Object:
        """Make an object, or make it as this. Raises KubernetesError."""
        path = f"{collection}/{body['metadata']['name']}"
        headers = {"Content-Type": "application/apply-patch+yaml"}
        query = {"fieldManager": MANAGER, "force": "true"}
        return (await self._request("PATCH", path, query, body, headers)).json()

    async def push(self, path: str, text: str) -> None:
        """Hand plain text to a program behind the API server. Raises KubernetesError."""
        await self._request("POST", path, {}, text, {"Content-Type": "text/plain"})

    async def remove(self, path: str) -> bool:
        """Remove an object; whether it was there. Raises KubernetesError."""
        try:
            await self._request("DELETE", path, {})
        except KubernetesError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return True
