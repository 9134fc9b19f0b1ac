"""The registry is asked as a host asks it, and judged by an image that everybody may read and one that nobody may."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import httpx
import pytest

from components.checks.registry import judge_registry
from components.checks.result import Status
from components.clients.image_registry import RegistryError, anonymous_status

REGISTRY = "registry.test:5000"
CHALLENGE = 'Bearer realm="https://registry.test:5001/token",service="registry",scope="repository:{}:pull"'


class Guarded:
    """A registry with its issuer; what is not below `tenants/` is for everybody."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.host}:{request.url.port}")
        if request.url.port == 5001:
            name = request.url.params["scope"].split(":")[1]
            assert request.url.params["service"] == "registry"
            return httpx.Response(200, json={"token": "nothing" if name.startswith("tenants/") else name})
        name = request.url.path.removeprefix("/v2/").partition("/manifests/")[0]
        if request.headers.get("Authorization") == f"Bearer {name}":
            return httpx.Response(200)
        return httpx.Response(401, headers={"WWW-Authenticate": CHALLENGE.format(name)})


async def status(answers: Callable[[httpx.Request], httpx.Response], repository: str) -> int:
    transport = httpx.MockTransport(answers)
    return await anonymous_status(REGISTRY, repository, "latest", ssl.create_default_context(), transport=transport)


async def test_what_the_region_runs_is_read_with_anybodys_token_and_what_is_a_tenants_is_not() -> None:
    registry = Guarded()
    assert await status(registry, "lab/hello") == 200
    assert registry.asked == ["HEAD registry.test:5000", "GET registry.test:5001", "HEAD registry.test:5000"]
    assert await status(registry, "tenants/demo/web") == 401


async def test_a_registry_that_asks_nobody_is_told_as_what_it_answers() -> None:
    assert await status(lambda _: httpx.Response(404), "tenants/demo/web") == 404


async def test_an_issuer_that_is_away_is_told_by_its_answer() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if request.url.port == 5001 else Guarded()(request)

    assert await status(answer, "lab/hello") == 503


@pytest.mark.parametrize("token", ["not JSON", "{}"])
async def test_an_issuer_that_answers_nonsense_is_an_error_with_its_address(token: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=token) if request.url.port == 5001 else Guarded()(request)

    with pytest.raises(RegistryError) as failed:
        await status(answer, "lab/hello")
    assert failed.value.problems[0].path == f"https://{REGISTRY}/v2/lab/hello/manifests/latest"


@pytest.mark.parametrize(
    ("found", "level", "told"),
    [
        ((200, 401), Status.OK, "HTTP 200 for an image of the region, 401 for a tenant's"),
        ((200, 404), Status.WARN, "404 for a tenant's"),
        ((401, 401), Status.FAIL, "HTTP 401 for an image of the region"),
        ("no route to host", Status.FAIL, "no route to host"),
    ],
)
def test_both_answers_count(found: tuple[int, int] | str, level: Status, told: str) -> None:
    result = judge_registry(REGISTRY, found)
    assert result.status is level
    assert told in result.found
    assert result.expected.startswith(REGISTRY)
