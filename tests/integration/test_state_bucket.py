"""The state bucket, in a real object store (versitygw) on loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from components.checks.result import Status, worst
from components.clients.s3 import S3Access, s3_client
from components.state.bucket import StateBucket
from components.state.kept_bucket import BucketError
from tests.integration.object_store import TOOLS, certificate

pytestmark = pytest.mark.integration


def test_a_missing_bucket_is_a_failed_check_and_nothing_is_made(access: S3Access) -> None:
    bucket = StateBucket(name="missing-state", access=access)
    assert [r.status for r in bucket.check()] == [Status.FAIL]
    assert [r.status for r in bucket.check()] == [Status.FAIL]


def test_the_bucket_is_made_once_versioned_and_closed(access: S3Access) -> None:
    bucket = StateBucket(name="fresh-state", access=access)
    assert bucket.ensure() is True
    assert bucket.ensure() is False
    assert worst(bucket.check()) is Status.OK
    client = s3_client(access)
    for text in (b"1", b"2"):
        client.put_object(Bucket=bucket.name, Key="stack", Body=text)
    assert len(client.list_object_versions(Bucket=bucket.name, Prefix="stack")["Versions"]) == 2


def test_a_bucket_without_versions_is_found_and_mended(access: S3Access) -> None:
    bucket = StateBucket(name="plain-state", access=access)
    s3_client(access).create_bucket(Bucket=bucket.name)
    assert [r.name for r in bucket.check() if r.status is Status.FAIL] == ["state.bucket.versions"]
    assert bucket.ensure() is True
    assert worst(bucket.check()) is Status.OK


def test_a_bucket_that_everybody_can_read_is_refused(access: S3Access) -> None:
    bucket = StateBucket(name="open-state", access=access)
    bucket.ensure()
    resources = [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resources}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3_client(access).put_bucket_policy(Bucket=bucket.name, Policy=policy)
    assert [r.name for r in bucket.check() if r.status is Status.FAIL] == ["state.bucket.closed"]
    with pytest.raises(BucketError, match="delete-bucket-policy"):
        bucket.ensure()


def test_a_wrong_key_is_told_without_showing_it(access: S3Access) -> None:
    stranger = S3Access(endpoint=access.endpoint, access_key="operator", secret_key="guessed", ca=access.ca)
    with pytest.raises(BucketError) as caught:
        StateBucket(name="fresh-state", access=stranger).ensure()
    assert "guessed" not in str(caught.value)
    assert access.endpoint in str(caught.value)


def test_a_store_with_a_strange_certificate_is_not_spoken_to(access: S3Access, tmp_path: Path) -> None:
    other, _ = certificate(tmp_path)
    stranger = S3Access(endpoint=access.endpoint, access_key="operator", secret_key="of a test", ca=other)
    with pytest.raises(BucketError, match=r"(?i)certificate"):
        StateBucket(name="fresh-state", access=stranger).check()


def test_pulumi_keeps_its_state_in_the_bucket(access: S3Access, tmp_path: Path) -> None:
    pulumi = shutil.which("pulumi", path=TOOLS)
    if pulumi is None:
        pytest.skip("pulumi is not built: make tools")
    bucket = StateBucket(name="pulumi-state", access=access)
    bucket.ensure()
    (tmp_path / "Pulumi.yaml").write_text("name: region\nruntime: yaml\n")
    environment = {
        **os.environ,
        **bucket.environment(),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
    }
    made = subprocess.run(
        [pulumi, "stack", "init", "lab.fabric", "--non-interactive"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    keys = [item["Key"] for item in s3_client(access).list_objects_v2(Bucket=bucket.name)["Contents"]]
    assert any(key.endswith("region/lab.fabric.json") for key in keys)
