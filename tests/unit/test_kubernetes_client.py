"""The client of the Kubernetes API: the transport is the only fake."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from components.clients.kubeconfig import Kubeconfig, KubeconfigError, read_kubeconfig
from components.clients.kubernetes import Kubernetes, KubernetesError

ACCESS = Kubeconfig(server="https://172.30.0.65:6443", ca="", certificate="", key="private")
Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> Kubernetes:
    return Kubernetes(ACCESS, transport=httpx.MockTransport(answer))


async def test_a_collection_is_read_page_by_page() -> None:
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        is_first = "continue" not in request.url.params
        name, more = ("a", "next") if is_first else ("b", "")
        return httpx.Response(200, json={"items": [{"metadata": {"name": name}}], "metadata": {"continue": more}})

    async with client(answer) as api:
        pods = await api.items("/api/v1/pods", labelSelector="x=y")
    assert [pod["metadata"]["name"] for pod in pods] == ["a", "b"]
    assert [(q["limit"], q["labelSelector"], q.get("continue")) for q in asked] == [
        ("500", "x=y", None),
        ("500", "x=y", "next"),
    ]


async def test_a_missing_object_is_none_and_a_kind_that_the_cluster_does_not_know_has_no_objects() -> None:
    async with client(lambda _: httpx.Response(404, json={"message": "not found"})) as api:
        assert await api.find("/api/v1/namespaces/x") is None
        assert await api.items("/apis/keda.sh/v1alpha1/scaledobjects") == []


async def test_a_refusal_carries_the_words_of_the_api_and_its_status() -> None:
    async with client(lambda _: httpx.Response(403, json={"message": "pods is forbidden"})) as api:
        with pytest.raises(KubernetesError, match="pods is forbidden") as caught:
            await api.items("/api/v1/pods")
    assert caught.value.status == 403


async def test_a_server_that_does_not_answer_is_named_with_the_runbook() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    async with client(answer) as api:
        with pytest.raises(KubernetesError, match=r"172\.30\.0\.65:6443(?s:.)*NodeNotReady") as caught:
            await api.get("/version")
    assert caught.value.status is None


async def test_a_watch_tells_changes_line_by_line() -> None:
    lines = [{"type": kind, "object": {"metadata": {"name": "p"}}} for kind in ("ADDED", "DELETED")]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    async with client(lambda _: httpx.Response(200, text=text)) as api:
        assert [event.kind async for event in api.watch("/api/v1/pods")] == ["ADDED", "DELETED"]


def kubeconfig(tmp_path: Path, key: str) -> Path:
    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    path = tmp_path / "kubeconfig"
    user = {"client-certificate-data": encoded("certificate"), "client-key-data": key}
    cluster = {"server": "https://api:6443", "certificate-authority-data": encoded("ca")}
    path.write_text(json.dumps({"clusters": [{"cluster": cluster}], "users": [{"user": user}]}))
    return path


def test_a_kubeconfig_gives_server_authority_and_certificate(tmp_path: Path) -> None:
    access = read_kubeconfig(kubeconfig(tmp_path, base64.b64encode(b"key of a test").decode()))
    assert (access.server, access.ca, access.certificate, access.key) == (
        "https://api:6443",
        "ca",
        "certificate",
        "key of a test",
    )
    assert "key of a test" not in repr(access)


def test_a_missing_kubeconfig_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="region up"):
        read_kubeconfig(tmp_path / "kubeconfig")


def test_a_broken_kubeconfig_is_refused_without_showing_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError) as caught:
        read_kubeconfig(kubeconfig(tmp_path, "not base64 but secret"))
    assert "not base64 but secret" not in str(caught.value)
