"""Weights on their way from a real object store through a cache to an engine, without a lab."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.clients.s3 import S3Access, s3_client
from lab.images import weights
from lab.images.store import sha256_file
from lab.toolchain.build import ensure
from tests.integration.object_store import access

__all__ = ["access"]

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WAIT_S = 60
READERS = 8
MIB = 1 << 20


@pytest.fixture(scope="module")
def program() -> Path:
    """As its image holds it."""
    return ensure("weights")["weights"]


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket of a test's own, and how programs are told of it."""

    name: str
    access: S3Access
    flags: tuple[str, ...]
    program: Path

    def publish(self, folder: Path, *more: str) -> str:
        """Digest of the manifest."""
        done = subprocess.run(
            [self.program, "publish", *self.flags, "--folder", folder, *more],
            check=True,
            capture_output=True,
            text=True,
        )
        return str(json.loads(done.stdout)["manifest"])

    @property
    def client(self) -> Any:
        return s3_client(self.access)


@pytest.fixture
def bucket(access: S3Access, program: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Bucket:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    credentials = tmp_path / "s3.json"
    credentials.write_text(json.dumps({"access_key": access.access_key, "secret_key": access.secret_key}))
    flags = ("--endpoint", access.endpoint, "--ca", str(access.ca), "--credentials", str(credentials), "--bucket", name)
    return Bucket(name=name, access=access, flags=flags, program=program)


@dataclass(frozen=True, kw_only=True)
class Cache:
    """One that runs."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    def metric(self, name: str) -> int:
        found = re.search(rf"^weights_cache_{name} (\d+)$", httpx.get(f"{self.url}/metrics").text, re.MULTILINE)
        assert found, f"{name} is not told"
        return int(found[1])


@contextmanager
def caching(bucket: Bucket, folder: Path, *, limit_mib: int = 64) -> Generator[Cache]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    serve = ("serve", *bucket.flags, "--folder", str(folder), "--limit-mib", str(limit_mib))
    process = subprocess.Popen([bucket.program, *serve, "--listen", f"127.0.0.1:{port}"])
    try:
        cache = Cache(url=f"http://127.0.0.1:{port}", process=process, folder=folder)
        _wait_for(f"{cache.url}/healthz", process)
        yield cache
    finally:
        process.terminate()
        process.wait(WAIT_S)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, f"{url} does not answer"
        time.sleep(0.05)


def fetch(bucket: Bucket, manifest: str, into: Path, *caches: str) -> subprocess.CompletedProcess[str]:
    asked = [word for url in caches for word in ("--cache", url)]
    told = ("fetch", "--manifest", manifest, "--into", str(into), "--patience", "5s", *asked)
    return subprocess.run([bucket.program, *told], capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.fixture(scope="module")
def echo() -> Path:
    """The weights of the lab's model, as the lab publishes them."""
    return weights.build("lab/echo")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_eight_engines_that_start_at_once_are_one_read_of_the_bucket_and_later_ones_are_none(
    bucket: Bucket, echo: Path, tmp_path: Path
) -> None:
    manifest = bucket.publish(echo)
    assert bucket.publish(echo) == manifest, "publishing again changes nothing"
    objects = len(names(echo)) + 1  # and the manifest
    with caching(bucket, tmp_path / "cache") as cache, ThreadPoolExecutor(READERS) as pool:
        tasks = [pool.submit(fetch, bucket, manifest, tmp_path / f"pod-{n}", cache.url) for n in range(READERS)]
        done = [task.result() for task in tasks]
        assert [each.returncode for each in done] == [0] * READERS, done[0].stderr
        assert cache.metric("bucket_reads_total") == objects
        assert fetch(bucket, manifest, tmp_path / "later", cache.url).returncode == 0
        assert cache.metric("bucket_reads_total") == objects
    for folder in (tmp_path / "pod-0", tmp_path / "later"):
        assert names(folder) == [".weights.json", *names(echo)]
        assert all((folder / name).read_bytes() == (echo / name).read_bytes() for name in names(echo))


def test_a_flipped_byte_in_the_bucket_is_refused_and_named_until_it_is_published_anew(
    bucket: Bucket, echo: Path, tmp_path: Path
) -> None:
    manifest = bucket.publish(echo)
    (victim,) = [key for key in _keys(bucket, 4 * MIB) if key.endswith(sha256_file(echo / "weights-2-of-2.bin"))]
    content = bytearray(bucket.client.get_object(Bucket=bucket.name, Key=victim)["Body"].read())
    content[1000] ^= 1
    bucket.client.put_object(Bucket=bucket.name, Key=victim, Body=bytes(content))
    with caching(bucket, tmp_path / "cache") as cache:
        refused = fetch(bucket, manifest, tmp_path / "pod", cache.url)
        assert refused.returncode == 1
        last = refused.stderr.splitlines()[-1]
        assert "weights-2-of-2.bin" in last
        assert f"weights-refused: {victim} of the bucket {bucket.name}" in last
        assert not (tmp_path / "pod" / ".weights.json").exists()
        bucket.publish(echo, "--anew")
        assert fetch(bucket, manifest, tmp_path / "pod", cache.url).returncode == 0


def test_weights_that_the_bucket_does_not_have_are_said_to_be_missing(bucket: Bucket, tmp_path: Path) -> None:
    with caching(bucket, tmp_path / "cache") as cache:
        missing = fetch(bucket, f"sha256:{'0' * 64}", tmp_path / "pod", cache.url)
    assert missing.returncode == 1
    assert "weights-missing: sha256/000" in missing.stderr.splitlines()[-1]


def test_a_cache_that_was_killed_serves_what_it_had_and_never_asks_for_it_again(
    bucket: Bucket, echo: Path, tmp_path: Path
) -> None:
    manifest = bucket.publish(echo)
    with caching(bucket, tmp_path / "cache") as first:
        assert fetch(bucket, manifest, tmp_path / "before", first.url).returncode == 0
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(WAIT_S)
    with caching(bucket, tmp_path / "cache") as second:
        assert fetch(bucket, manifest, tmp_path / "after", second.url).returncode == 0
        assert second.metric("bucket_reads_total") == 0


def test_a_cache_stays_within_its_size_whatever_is_asked_of_it(bucket: Bucket, tmp_path: Path) -> None:
    manifests: list[str] = []
    for number in range(4):
        folder = tmp_path / f"model-{number}"
        folder.mkdir()
        (folder / "weights.bin").write_bytes(bytes([number]) * (3 * MIB))
        manifests.append(bucket.publish(folder))
    with caching(bucket, tmp_path / "cache", limit_mib=8) as cache:
        for at, manifest in enumerate([*manifests, manifests[3], manifests[0]]):
            assert fetch(bucket, manifest, tmp_path / f"pod-{at}", cache.url).returncode == 0
            on_disk = sum(path.stat().st_size for path in cache.folder.rglob("*") if path.is_file())
            assert on_disk <= 8 * MIB
        assert cache.metric("evictions_total") >= 2
        assert cache.metric("bucket_reads_total") == 2 * 4 + 2, "the last was here, the first had made room"


def test_another_rack_is_asked_while_the_own_cache_is_down(bucket: Bucket, echo: Path, tmp_path: Path) -> None:
    manifest = bucket.publish(echo)
    with caching(bucket, tmp_path / "cache") as cache:
        done = fetch(bucket, manifest, tmp_path / "pod", "http://127.0.0.1:9", cache.url)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def fetched(bucket: Bucket, echo: Path, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """The folder of an engine, filled; and the digest that it is told."""
    manifest = bucket.publish(echo)
    with caching(bucket, tmp_path / "cache") as cache:
        assert fetch(bucket, manifest, tmp_path / "pod", cache.url).returncode == 0
    yield tmp_path / "pod", manifest


def test_the_simulated_engine_starts_with_its_weights_and_not_with_others(fetched: tuple[Path, str]) -> None:
    folder, manifest = fetched
    engine = ensure("model-engine")["model-engine"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    started = [str(engine), "--model", "lab-echo", "--port", str(port), "--weights", str(folder)]
    told = {"WEIGHTS_MANIFEST": manifest}
    process = subprocess.Popen(started, env=told)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
    finally:
        process.terminate()
        process.wait(WAIT_S)
    with (folder / "weights-1-of-2.bin").open("r+b") as file:
        file.write(b"x")
    refused = subprocess.run(started, env=told, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert refused.returncode != 0
    assert "weights-1-of-2.bin" in refused.stderr
    shutil.rmtree(folder)
    refused = subprocess.run(started, env=told, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert refused.returncode != 0


def _keys(bucket: Bucket, size: int) -> list[str]:
    listed = bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]
    return [each["Key"] for each in listed if each["Size"] == size]
