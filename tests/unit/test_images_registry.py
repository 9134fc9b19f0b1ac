"""Filling the registry: only what it lacks is sent."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lab.errors import LabError
from lab.images import oci
from lab.images.containers import Built, Image
from lab.images.registry import Registry
from lab.images.registry_auth import OperatorAuth

BASE = "https://172.30.0.1:5000/v2/"


@pytest.fixture
def image(tmp_path: Path) -> Built:
    digest = oci.write_image(tmp_path / "i", {"/p": oci.File(content=b"1")}, entrypoint=["/p"], user=0, version="v1")
    return Built(name="p", image=Image(repository="r/p", tag="v1", program="p"), folder=tmp_path / "i", digest=digest)


class FakeRegistry:
    """Answers as the real one does, and remembers."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, str] = {}
        self.calls: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v2/")
        self.calls.append(f"{request.method} {path}")
        assert request.headers["Host"] == "registry.lab.internal:5000"
        match request.method, path.split("/"):
            case "HEAD", [*_, "manifests", tag]:
                found = self.manifests.get(tag)
                return httpx.Response(200, headers={"Docker-Content-Digest": found}) if found else httpx.Response(404)
            case "HEAD", [*_, "blobs", digest]:
                return httpx.Response(200 if digest in self.blobs else 404)
            case "POST", _:
                place = f"https://registry.lab.internal:5000/v2/{path}one?_state=s"
                return httpx.Response(202, headers={"Location": place})
            case "PUT", [*_, "uploads", "one"]:
                assert request.url.host == "172.30.0.1", "the way to the registry stays ours"
                assert request.url.params["_state"] == "s"
                self.blobs[request.url.params["digest"]] = request.read()
                return httpx.Response(201)
            case "PUT", [*_, "manifests", tag]:
                self.manifests[tag] = "sha256:" + hashlib.sha256(request.read()).hexdigest()
                return httpx.Response(201)
            case _:
                return httpx.Response(400)


def a_registry(answer: Callable[[httpx.Request], httpx.Response]) -> Registry:
    headers = {"Host": "registry.lab.internal:5000"}
    client = httpx.Client(base_url=BASE, headers=headers, transport=httpx.MockTransport(answer))
    return Registry(name="registry.lab.internal", reference="registry.lab.internal:5000", client=client)


def test_an_image_is_sent_whole_and_the_manifest_last(image: Built) -> None:
    fake = FakeRegistry()
    assert a_registry(fake).push([image]) == ["p"]
    assert fake.manifests == {"v1": image.digest}
    assert len(fake.blobs) == 2
    assert fake.calls[-1] == "PUT r/p/manifests/v1"


def test_an_image_that_is_there_costs_one_question(image: Built) -> None:
    fake = FakeRegistry()
    a_registry(fake).push([image])
    fake.calls.clear()
    assert a_registry(fake).push([image]) == []
    assert fake.calls == ["HEAD r/p/manifests/v1"]


def test_a_tag_that_was_moved_is_put_back_without_sending_the_blobs_again(image: Built) -> None:
    fake = FakeRegistry()
    a_registry(fake).push([image])
    fake.manifests["v1"] = "sha256:other"
    fake.calls.clear()
    assert a_registry(fake).push([image]) == ["p"]
    assert fake.manifests == {"v1": image.digest}
    assert not any(call.startswith("POST") for call in fake.calls)


def test_a_refusal_names_the_registry_and_the_answer(image: Built) -> None:
    with pytest.raises(LabError, match="refused HEAD r/p/manifests/v1") as refused:
        a_registry(lambda _request: httpx.Response(403, text="no")).push([image])
    assert "403 no" in str(refused.value)


def test_a_registry_that_is_down_is_named(image: Built) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(LabError, match="does not answer"):
        a_registry(down).push([image])


class FakeIssuer:
    """Gives the operator a token for what is asked, and nobody else any."""

    def __init__(self, seconds: int = 300) -> None:
        self.asked: list[str] = []
        self.seconds = seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            scope = request.headers["Authorization"].removeprefix("Bearer ")
            assert request.url.path.startswith(f"/v2/{scope}/"), "each repository has a token of its own"
            return httpx.Response(404)
        if base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) != b"operator:key":
            return httpx.Response(401, text="not the operator")
        self.asked.append(request.url.params["scope"])
        token = request.url.params["scope"].split(":")[1]
        return httpx.Response(200, json={"token": token, "expires_in": self.seconds})


def a_client(issuer: FakeIssuer, key: str = "key") -> httpx.Client:
    auth = OperatorAuth(tokens="https://172.30.0.1:5001/token", service="registry", username="operator", password=key)
    return httpx.Client(base_url=BASE, transport=httpx.MockTransport(issuer), auth=auth)


def test_the_operator_asks_for_one_token_for_each_repository(tmp_path: Path) -> None:
    issuer = FakeIssuer()
    client = a_client(issuer)
    for path in ("a/b/manifests/v1", "a/b/blobs/uploads/", "c/manifests/v1"):
        client.head(path)
    (tmp_path / "blob").write_bytes(b"x")
    with (tmp_path / "blob").open("rb") as content:
        assert client.put("d/blobs/uploads/1", content=content).status_code == 404, "sent once, with its token"
    assert issuer.asked == [f"repository:{name}:pull,push" for name in ("a/b", "c", "d")]


def test_a_token_that_soon_ends_is_asked_for_again() -> None:
    issuer = FakeIssuer(seconds=30)
    client = a_client(issuer)
    client.head("a/manifests/v1")
    client.head("a/manifests/v1")
    assert len(issuer.asked) == 2


def test_a_key_that_the_issuer_does_not_know_is_refused_without_being_shown() -> None:
    with pytest.raises(LabError, match="no token") as refused:
        a_client(FakeIssuer(), key="other-key").head("a/manifests/v1")
    assert "401 not the operator" in str(refused.value)
    assert "other-key" not in str(refused.value)
