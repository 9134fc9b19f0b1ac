"""Images guarded by prefix: the real registry with the real issuer of its tokens, attacked as one tenant by another.

Each attack has its control: the same call where the rule lets it through.
"""

from __future__ import annotations

import time

import pytest

from tests.image_client import Caller, digest
from tests.integration.image_registry import World, world

__all__ = ["world"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SECRET, SHARED = b"layer of the victim", b"layer of the region"
THEIRS, OWN, COMMON = "tenants/b/model", "tenants/a/web", "lab/hello"


@pytest.fixture
def attacker(world: World) -> Caller:
    """A pod of tenant `a`; what `b` and the region have pushed is there."""
    assert world.account("tenant-b").push(THEIRS, SECRET) == 201, "control: the victim fills its own prefix"
    assert world.operator.push(COMMON, SHARED) == 201, "control: the operator fills the region's"
    return world.account("tenant-a")


def test_a_tenant_reads_and_writes_its_own_images(world: World, attacker: Caller) -> None:
    assert attacker.push(OWN, b"mine") == 201
    assert attacker.pull(OWN, b"mine") == (200, 200)
    assert world.account("tenant-b").pull(THEIRS, SECRET) == (200, 200)


def test_another_tenants_images_are_neither_read_nor_written(world: World, attacker: Caller) -> None:
    assert attacker.pull(THEIRS, SECRET) == (401, 401)
    assert attacker.push(THEIRS, b"mine") == 401
    assert attacker.ask("GET", f"/v2/{THEIRS}/tags/list").status_code == 401
    assert attacker.ask("DELETE", f"/v2/{THEIRS}/manifests/{digest(SECRET)}").status_code == 401
    assert world.operator.ask("GET", f"/v2/{THEIRS}/tags/list").json()["tags"] == ["v1"], "control: as it was"


def test_a_blob_is_mounted_only_from_where_it_may_be_read(attacker: Caller) -> None:
    def mount(source: str, content: bytes, scope: str = "") -> int:
        asked = {"mount": digest(content), "from": source}
        return attacker.ask("POST", f"/v2/{OWN}/blobs/uploads/", params=asked, scope=scope).status_code

    assert mount(COMMON, SHARED) == 201, "control: what everybody reads"
    assert mount(THEIRS, SECRET) == 401
    assert mount(THEIRS, SECRET, scope=f"repository:{OWN}:pull,push") == 401, "nor with a token for its own alone"
    assert attacker.ask("GET", f"/v2/{OWN}/blobs/{digest(SECRET)}").status_code == 404


def test_only_the_operator_sees_what_there_is(world: World, attacker: Caller) -> None:
    assert world.operator.ask("GET", "/v2/_catalog").json()["repositories"] == [COMMON, THEIRS], "control"
    assert attacker.ask("GET", "/v2/_catalog").status_code == 401
    assert world.anybody.ask("GET", "/v2/_catalog").status_code == 401


def test_anybody_reads_what_the_region_runs_and_nothing_else(world: World, attacker: Caller) -> None:
    assert world.anybody.pull(COMMON, SHARED) == (200, 200)
    assert world.anybody.push(COMMON, b"mine") == 401
    assert attacker.push(COMMON, b"mine") == 401
    assert world.anybody.pull(THEIRS, SECRET) == (401, 401)
    assert world.anybody.push("tenants/c/new", b"mine") == 401


def test_a_token_that_is_meant_for_somebody_else_opens_nothing(world: World, attacker: Caller) -> None:
    for changed in ({"aud": ["https://kubernetes.default.svc.cluster.local"]}, {"exp": int(time.time()) - 60}):
        assert world.account("tenant-b", **changed).pull(THEIRS, SECRET) == (401, 401)
    guess = Caller(client=world.client, credentials=("operator", "guess"))
    assert guess.pull(THEIRS, SECRET) == (401, 401)


def test_before_there_is_a_cluster_the_region_is_filled_and_read(world: World) -> None:
    world.cluster.up = False
    assert world.operator.push(COMMON, SHARED) == 201
    assert world.anybody.pull(COMMON, SHARED) == (200, 200)
    assert world.account("tenant-b").pull(THEIRS, SECRET) == (503, 503)
