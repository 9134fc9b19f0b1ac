"""The account of the caches of weights in a real object store (versitygw): it reads one bucket, and does nothing else.

Each refusal has a control: the same request with the operator's key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from components.checks.result import Status
from components.checks.weights_reader import check_weights_reader
from components.clients.s3 import S3Access, opens, s3_client
from components.errors import RegionError
from components.plan import RegionPlan
from components.plan.naming import WEIGHTS_BUCKET
from components.provider.bucket_reader import BucketReaderHandler
from components.provider.handler import Context
from lab.images import weights
from tests.integration import test_weights
from tests.integration.object_store import access
from tests.integration.test_weights import Bucket, caching, fetch, program

__all__ = ["access", "program"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
OTHER = "lab-state"
OBJECT = "sha256/abc"
Ask = Callable[[Any, str], Any]
READS: dict[str, Ask] = {
    "head the bucket": lambda s3, bucket: s3.head_bucket(Bucket=bucket),
    "list": lambda s3, bucket: s3.list_objects_v2(Bucket=bucket),
    "head": lambda s3, bucket: s3.head_object(Bucket=bucket, Key=OBJECT),
    "get": lambda s3, bucket: s3.get_object(Bucket=bucket, Key=OBJECT),
}
WRITES: dict[str, Ask] = {
    "put": lambda s3, bucket: s3.put_object(Bucket=bucket, Key="planted", Body=b"x"),
    "put another in its place": lambda s3, bucket: s3.put_object(Bucket=bucket, Key=OBJECT, Body=b"planted"),
    "copy": lambda s3, bucket: s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": OBJECT}),
    "upload in parts": lambda s3, bucket: s3.create_multipart_upload(Bucket=bucket, Key="parts"),
    "tag": lambda s3, bucket: s3.put_object_tagging(
        Bucket=bucket, Key=OBJECT, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
    "delete": lambda s3, bucket: s3.delete_object(Bucket=bucket, Key=OBJECT),
    "delete many": lambda s3, bucket: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "planted"}]}),
    "change the policy": lambda s3, bucket: s3.put_bucket_policy(Bucket=bucket, Policy=_opened(bucket)),
    "delete the policy": lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
}
HUNG_UP = "hung up"
"""As the store does, sometimes, on a body that it does not take."""


def _opened(bucket: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refusal(ask: Ask, key: S3Access, bucket: str) -> str:
    """The store's word for what it refuses; empty if it does what is asked."""
    try:
        answer = ask(s3_client(key), bucket)
    except ClientError as error:
        return str(cast("Any", error.response)["Error"]["Code"])
    except BotoCoreError:
        return HUNG_UP
    return str(answer["Errors"][0]["Code"]) if answer.get("Errors") else ""


class Project:
    """Secrets as an operator has them, and the resource."""

    def __init__(self, folder: Path, access: S3Access, bucket: str) -> None:
        self.folder, self.access, self.bucket = folder, access, bucket
        self.handler = BucketReaderHandler()
        self.context = Context(project=folder, region="lab", journal=cast("Any", None))
        self.write("s3.json", access.access_key, access.secret_key)
        (folder / "ca.crt").write_bytes(access.ca.read_bytes())

    def write(self, name: str, access_key: str, secret_key: str) -> S3Access:
        path = self.folder / name
        path.write_text(json.dumps({"access_key": access_key, "secret_key": secret_key}))
        path.chmod(0o600)
        return replace(self.access, access_key=access_key, secret_key=secret_key)

    @property
    def inputs(self) -> dict[str, Any]:
        store = {"endpoint": self.access.endpoint, "credentials": "file:s3.json", "ca_certificate": "file:ca.crt"}
        return {"bucket": self.bucket, "reader": "file:reader.json", **store}

    async def up(self, outputs: dict[str, Any] | None = None) -> dict[str, Any]:
        """As a run makes it, or changes what an earlier one made."""
        if outputs is None:
            return (await self.handler.create("reader", self.inputs, self.context)).outputs
        return await self.handler.update(self.bucket, {**self.inputs, **outputs}, self.inputs, self.context)

    async def refreshed(self, outputs: dict[str, Any]) -> dict[str, Any] | None:
        return await self.handler.read(self.bucket, {**self.inputs, **outputs}, self.context)


@pytest.fixture
def project(access: S3Access, tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    return Project(tmp_path, access, re.sub(r"[^a-z0-9]+", "-", request.node.name)[:50].strip("-"))


async def test_the_reader_reads_its_bucket_and_is_refused_to_write_or_delete(project: Project) -> None:
    reader, operator = project.write("reader.json", "reader", "a" * 32), s3_client(project.access)
    outputs = await project.up()
    assert outputs == {"access_key": "reader"}, "no key in state"
    operator.put_object(Bucket=project.bucket, Key=OBJECT, Body=b"right")
    operator.create_bucket(Bucket=OTHER)
    operator.put_object(Bucket=OTHER, Key=OBJECT, Body=b"state")
    assert {what: refusal(ask, reader, project.bucket) for what, ask in READS.items()} == dict.fromkeys(READS, "")
    refused = {what: refusal(ask, reader, project.bucket) for what, ask in WRITES.items()}
    assert {what for what, why in refused.items() if why not in ("AccessDenied", HUNG_UP)} == set(), refused
    elsewhere = {what: refusal(ask, reader, OTHER) for what, ask in READS.items()}
    assert set(elsewhere.values()) <= {"AccessDenied", "403"}, elsewhere
    assert operator.get_object(Bucket=project.bucket, Key=OBJECT)["Body"].read() == b"right"
    assert [each["Key"] for each in operator.list_objects_v2(Bucket=project.bucket)["Contents"]] == [OBJECT]
    done = {what: refusal(ask, project.access, project.bucket) for what, ask in WRITES.items()}
    assert done == dict.fromkeys(WRITES, ""), "control: the region's own account"


async def test_a_second_run_changes_nothing_and_another_key_or_name_ends_the_one_before(project: Project) -> None:
    first = project.write("reader.json", "reader-1", "a" * 32)
    outputs = await project.up()
    assert await project.up(outputs) == outputs
    assert project.handler.diff(project.inputs, project.inputs) == []
    assert project.handler.unfinished(project.inputs, outputs) == []
    assert opens(first, project.bucket)
    second = project.write("reader.json", "reader-1", "b" * 32)
    found = await project.refreshed(outputs)
    assert found == {"access_key": ""}
    assert project.handler.unfinished(project.inputs, found or {}), (
        "the reference holds a key that the store does not know"
    )
    outputs = await project.up(outputs)
    assert (opens(first, project.bucket), opens(second, project.bucket)) == (False, True)
    third = project.write("reader.json", "reader-2", "c" * 32)
    await project.up(outputs)
    assert (opens(second, project.bucket), opens(third, project.bucket)) == (False, True)


async def test_a_refresh_finds_a_bucket_that_somebody_opened_and_the_next_run_closes_it(project: Project) -> None:
    reader, operator = project.write("reader.json", "reader", "a" * 32), s3_client(project.access)
    outputs = await project.up()
    assert await project.refreshed(outputs) == outputs
    operator.put_bucket_policy(Bucket=project.bucket, Policy=_opened(project.bucket))
    assert refusal(WRITES["put"], reader, project.bucket) == "", "control"
    found = await project.refreshed(outputs)
    assert found == {"access_key": ""}
    assert [change.key for change in project.handler.unfinished(project.inputs, found or {})] == ["reader"]
    assert await project.refreshed(await project.up(found)) == outputs
    assert refusal(WRITES["put"], reader, project.bucket) in ("AccessDenied", HUNG_UP)


async def test_a_verification_tells_whether_the_caches_only_read(project: Project, lab_plan: RegionPlan) -> None:
    project.write("reader.json", "reader", "a" * 32)
    project.bucket = WEIGHTS_BUCKET
    endpoints = replace(
        lab_plan.endpoints,
        s3=project.access.endpoint,
        ca_certificate="file:ca.crt",
        credentials={"s3": "file:s3.json", "weights_reader": "file:reader.json"},
    )
    plan = replace(lab_plan, endpoints=endpoints)
    (before,) = await check_weights_reader(plan, project.folder)
    assert before.status is not Status.OK, "nothing is there yet"
    await project.up()
    (made,) = await check_weights_reader(plan, project.folder)
    assert made.status is Status.OK
    s3_client(project.access).put_bucket_policy(Bucket=WEIGHTS_BUCKET, Policy=_opened(WEIGHTS_BUCKET))
    (opened,) = await check_weights_reader(plan, project.folder)
    assert "policy" in opened.found


async def test_an_account_that_goes_opens_nothing_and_leaves_the_bucket_as_it_is(project: Project) -> None:
    reader, operator = project.write("reader.json", "reader", "a" * 32), s3_client(project.access)
    outputs = await project.up()
    operator.put_object(Bucket=project.bucket, Key=OBJECT, Body=b"kept")
    for _ in range(2):
        await project.handler.delete(project.bucket, {**project.inputs, **outputs}, project.context)
    assert not opens(reader, project.bucket)
    assert operator.get_object(Bucket=project.bucket, Key=OBJECT)["Body"].read() == b"kept"


async def test_the_operators_own_account_is_no_reader(project: Project) -> None:
    project.write("reader.json", project.access.access_key, project.access.secret_key)
    with pytest.raises(RegionError, match="the operator's own account"):
        await project.up()


async def test_a_cache_serves_with_the_readers_key_what_the_operator_published(
    project: Project, program: Path, tmp_path: Path
) -> None:
    project.write("reader.json", "reader", "a" * 32)
    await project.up()
    store = ("--endpoint", project.access.endpoint, "--ca", str(project.access.ca), "--bucket", project.bucket)

    def told(key: str) -> Bucket:
        flags = (*store, "--credentials", str(project.folder / key))
        return Bucket(name=project.bucket, access=project.access, flags=flags, program=program)

    folder = weights.build("lab/echo")
    manifest = told("s3.json").publish(folder)
    with caching(told("reader.json"), tmp_path / "cache") as cache:
        assert fetch(told("reader.json"), manifest, tmp_path / "pod", cache.url).returncode == 0
    assert test_weights.names(tmp_path / "pod") == [".weights.json", *test_weights.names(folder)]
