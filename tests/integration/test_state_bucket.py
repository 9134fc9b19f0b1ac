"""The state bucket, in a real object store (versitygw) on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.checks.result import Status, worst
from components.clients.s3 import S3Access, s3_client
from components.state.bucket import StateBucket, StateBucketError

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
TOOLS = os.pathsep.join([str(ROOT / ".venv" / "bin"), str(ROOT / ".tools" / "bin"), os.environ["PATH"]])


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "object store of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "store.crt", folder / "store.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Generator[S3Access]:
    program = shutil.which("versitygw", path=TOOLS)
    if program is None:
        pytest.skip("versitygw is not built: make tools")
    folder = tmp_path_factory.mktemp("store")
    certificate, key = _certificate(folder)
    port = _free_port()
    for name in ("data", "versions"):
        (folder / name).mkdir()
    serve = ["--port", f"127.0.0.1:{port}", "--cert", str(certificate), "--key", str(key), "--quiet"]
    store = ["posix", "--versioning-dir", str(folder / "versions"), str(folder / "data")]
    keys = {"ROOT_ACCESS_KEY": "operator", "ROOT_SECRET_KEY": "of a test"}
    process = subprocess.Popen(
        [program, *serve, *store], env={**os.environ, **keys}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield S3Access(
            endpoint=f"https://127.0.0.1:{port}", access_key="operator", secret_key="of a test", ca=certificate
        )
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("versitygw did not come up in 10 s")


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
    with pytest.raises(StateBucketError, match="delete-bucket-policy"):
        bucket.ensure()


def test_a_wrong_key_is_told_without_showing_it(access: S3Access) -> None:
    stranger = S3Access(endpoint=access.endpoint, access_key="operator", secret_key="guessed", ca=access.ca)
    with pytest.raises(StateBucketError) as caught:
        StateBucket(name="fresh-state", access=stranger).ensure()
    assert "guessed" not in str(caught.value)
    assert access.endpoint in str(caught.value)


def test_a_store_with_a_strange_certificate_is_not_spoken_to(access: S3Access, tmp_path: Path) -> None:
    other, _ = _certificate(tmp_path)
    stranger = S3Access(endpoint=access.endpoint, access_key="operator", secret_key="of a test", ca=other)
    with pytest.raises(StateBucketError, match=r"(?i)certificate"):
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
