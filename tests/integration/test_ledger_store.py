"""The acceptance ledger in a real object store (versitygw) on loopback, as an operator sees it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from typer.testing import CliRunner, Result

from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.clients.acceptance_store import LedgerStore
from components.clients.s3 import S3Access, s3_client
from components.state.kept_bucket import KeptBucket
from stacks import acceptance
from stacks.cli.main import app
from tests.acceptance import live
from tests.e2e import runbooks

pytestmark = pytest.mark.integration
BATCH = "000001.ledger"


@pytest.fixture
def bucket(access: S3Access, request: pytest.FixtureRequest) -> KeptBucket:
    name = request.node.name.replace("_", "-")[5:60].strip("-")
    return KeptBucket(name=name, access=access, holds="ledger", ensured_by="region ledger upload <region>")


def store(bucket: KeptBucket) -> LedgerStore:
    return LedgerStore(bucket.access, bucket.name, prepare=bucket.ensure)


def record(folder: Path, bucket: KeptBucket, serials: int) -> Ledger:
    async def run() -> Ledger:
        async with Ledger.open("lab", LedgerFolder(folder), store(bucket)) as ledger:
            await live(ledger, serials)
        return ledger

    return asyncio.run(run())


@pytest.fixture
def project(tmp_path: Path, bucket: KeptBucket, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose state is the test's own; the store is the test's."""
    monkeypatch.setattr(acceptance, "state_folder", lambda region: tmp_path / ".region" / region)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr(acceptance, "ledger_store", lambda plan: store(bucket))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return tmp_path


def region(*words: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *words])


def test_an_object_is_made_once_and_never_replaced(bucket: KeptBucket) -> None:
    kept = store(bucket)
    assert kept.batches() == []
    assert kept.write(BATCH, b"first") is True
    assert kept.write(BATCH, b"first") is False
    with pytest.raises(Exception, match="two ledgers"):
        kept.write(BATCH, b"second")
    with pytest.raises((ClientError, BotoCoreError)):  # the store itself keeps to it, or hangs up on the body
        s3_client(bucket.access).put_object(Bucket=bucket.name, Key=BATCH, Body=b"", IfNoneMatch="*")
    assert kept.read(BATCH) == b"first"
    assert kept.touched() == []


def test_what_is_recorded_here_is_in_the_store_and_verifies_there(project: Path, bucket: KeptBucket) -> None:
    record(project / ".region" / "lab" / "ledger", bucket, 30)
    done = region("verify", "lab", "--json")
    checks = {c["name"]: c for c in json.loads(done.stdout)["checks"]}
    assert done.exit_code == 0
    assert {name: c["status"] for name, c in checks.items()} == {
        "ledger.here": "ok",
        "ledger.store": "ok",
        "ledger.store.versions": "ok",
    }
    assert "120 entries of 30 serial numbers" in checks["ledger.store"]["found"]


def test_what_only_the_store_has_is_shown_and_exported(project: Path, bucket: KeptBucket) -> None:
    record(project / "another machine", bucket, 2)
    shown = region("show", "lab", "T00001", "--json")
    assert [json.loads(line)["event"] for line in shown.stdout.splitlines()] == [
        "racked",
        "matched",
        "firmware-verified",
        "handed-over",
    ]
    assert len(region("export", "lab", "--format", "csv").stdout.splitlines()) == 9
    assert len(json.loads(region("export", "lab").stdout)) == 8


def test_a_repair_is_recorded_and_in_the_store(project: Path, bucket: KeptBucket) -> None:
    record(project / ".region" / "lab" / "ledger", bucket, 1)
    assert region("repaired", "lab", "T00000", "--work", "right BlueField replaced").exit_code == 0
    shown = region("show", "lab", "T00000", "--json").stdout.splitlines()
    assert json.loads(shown[-1])["evidence"] == {"work": "right BlueField replaced"}
    assert len(store(bucket).batches()) == 2


def test_the_runbook_on_a_byte_that_somebody_changed_in_the_store(project: Path, bucket: KeptBucket) -> None:
    record(project / ".region" / "lab" / "ledger", bucket, 5)
    content = store(bucket).read(BATCH).replace(b'"device":"lab-r001/3"', b'"device":"lab-r001/4"', 1)
    s3_client(bucket.access).put_object(Bucket=bucket.name, Key=BATCH, Body=content)
    shown: dict[str, str] = {}
    for command in runbooks.steps("LedgerDoesNotVerify"):
        if command.startswith("region ledger "):
            done = region(*command.split()[2:])
            assert done.exit_code in (0, 1)
            shown[command] = done.output
        else:
            words = ["bash", "-o", "pipefail", "-c", command]
            shown[command] = subprocess.run(
                words, cwd=project, env=os.environ, capture_output=True, text=True, check=True
            ).stdout
    verified = shown["region ledger verify lab"]
    assert f"{BATCH}, entry 4, serial T00003: a byte of it was changed" in " ".join(verified.split())
    assert "ledger.store.versions" in verified
    last = next(text for command, text in shown.items() if command.startswith("tail -n 2"))
    by_hand = next(text for command, text in shown.items() if "sha256sum" in command)
    assert last.splitlines()[-1].startswith(by_hand.split()[0]), "a line can be checked with tools of every machine"
    assert "T00003" in shown["region ledger export lab --format csv"]


def test_a_deleted_object_is_a_cut_off_tail(project: Path, bucket: KeptBucket) -> None:
    record(project / ".region" / "lab" / "ledger", bucket, 1)
    record(project / ".region" / "lab" / "ledger", bucket, 2)
    s3_client(bucket.access).delete_object(Bucket=bucket.name, Key="000002.ledger")
    done = region("verify", "lab", "--json")
    faults = [c["found"] for c in json.loads(done.stdout)["checks"] if c["status"] == "fail"]
    assert done.exit_code == 1
    assert any("its tail was cut off" in found for found in faults)
    assert "000002.ledger" in faults[-1]
