"""The Kubernetes API of a small cluster for tests, at the wire: objects by path, and every change that is made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from components.clients.kubeconfig import Kubeconfig
from components.clients.kubernetes_change import KubernetesChange

ACCESS = Kubeconfig(server="https://api:6443", ca="", certificate="", key="")


@dataclass
class FakeCluster:
    """Single objects and collections by path; all else is not there."""

    objects: dict[str, Any] = field(default_factory=dict[str, Any])
    changes: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    """Method, path, body."""
    asked: list[str] = field(default_factory=list[str])

    def client(self, *_: object, **__: object) -> KubernetesChange:
        """Stands in for `from_file`."""
        return KubernetesChange(ACCESS, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, there = request.url.path, self.objects.get(request.url.path)
        if request.method == "GET":
            self.asked.append(path)
        else:
            content = request.content.decode()
            is_json = "json" in request.headers.get("content-type", "") or "yaml" in request.headers.get(
                "content-type", ""
            )
            self.changes.append((request.method, path, json.loads(content) if is_json and content else content))
            is_missing = request.method == "DELETE" and there is None
            return httpx.Response(404 if is_missing else 200, json={"message": "not found"} if is_missing else {})
        if isinstance(there, list):
            wanted = dict(each.split("=") for each in request.url.params.get("labelSelector", "").split(",") if each)
            items = [
                each
                for each in cast("list[Any]", there)
                if wanted.items() <= (each["metadata"].get("labels") or {}).items()
            ]
            return httpx.Response(200, json={"items": items, "metadata": {}})
        if there is None:
            return httpx.Response(404, json={"message": "not found"})
        return httpx.Response(200, json=there)
