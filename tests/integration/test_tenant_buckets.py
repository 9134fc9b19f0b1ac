"""Tenants' buckets in a real object store (versitygw): what one tenant's key opens, and what it does not.

Each attack has a control: the same request with the key of whom it belongs to.
"""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from components.clients.object_accounts import AccountError, ObjectAccounts, RefusalError
from components.clients.s3 import S3Access, s3_client
from components.plan.naming import acceptance_bucket, state_bucket
from components.provider.bucket import BucketHandler
from components.provider.handler import Context
from components.spec.derive import tenant_bucket
from components.state.kept_bucket import KeptBucket
from tests.pulumi_project import ROOT, PulumiProject

pytestmark = pytest.mark.integration
REGION = "lab"
THEIRS = tenant_bucket(REGION, "b")
STATE, LEDGER = state_bucket(REGION), acceptance_bucket(REGION)
OBJECT = "weights/model"
Ask = Callable[[Any], Any]


class Store:
    """A project that holds what the provider needs, and the store's tenants."""

    def __init__(self, project: Path, access: S3Access) -> None:
        self.access = access
        self.handler = BucketHandler()
        self.told: list[str] = []
        self.context = Context(project=project, region=REGION, journal=cast("Any", None), report=self.told.append)
        key = project / "s3.json"
        key.write_text(json.dumps({"access_key": access.access_key, "secret_key": access.secret_key}))
        key.chmod(0o600)
        (project / "ca.crt").write_bytes(access.ca.read_bytes())

    def inputs(self, tenant: str, **changed: Any) -> dict[str, Any]:
        store = {"endpoint": self.access.endpoint, "credentials": "file:s3.json", "ca_certificate": "file:ca.crt"}
        return {"bucket": tenant_bucket(REGION, tenant), "key": 1, **store, **changed}

    async def make(self, tenant: str) -> S3Access:
        """The tenant's bucket, and what its pods are given."""
        made = await self.handler.create(tenant, self.inputs(tenant), self.context)
        return self.opened(made.outputs)

    def opened(self, outputs: dict[str, Any]) -> S3Access:
        return replace(self.access, access_key=outputs["access_key"], secret_key=outputs["secret_key"])


@pytest.fixture
def store(access: S3Access, tmp_path: Path) -> Store:
    return Store(tmp_path, access)


HUNG_UP = "hung up"
"""As it does, sometimes, on a body that it does not take."""


def refusal(ask: Ask, client: Any) -> str:
    """The store's word for what it refuses; empty if it does what is asked."""
    try:
        ask(client)
    except ClientError as error:
        return str(cast("Any", error.response)["Error"]["Code"])
    except BotoCoreError:
        return HUNG_UP
    return ""


def opens(bucket: str) -> str:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ASKED: dict[str, Callable[[str], Ask]] = {
    "list": lambda bucket: lambda s3: s3.list_objects_v2(Bucket=bucket),
    "list versions": lambda bucket: lambda s3: s3.list_object_versions(Bucket=bucket),
    "get": lambda bucket: lambda s3: s3.get_object(Bucket=bucket, Key=OBJECT),
    "put": lambda bucket: lambda s3: s3.put_object(Bucket=bucket, Key="planted", Body=b"x"),
    "delete": lambda bucket: lambda s3: s3.delete_object(Bucket=bucket, Key="planted"),
    "read the policy": lambda bucket: lambda s3: s3.get_bucket_acl(Bucket=bucket),
    "open it by a policy": lambda bucket: lambda s3: s3.put_bucket_policy(Bucket=bucket, Policy=opens("elsewhere")),
}
"""What is asked of a bucket. The last is a policy that the store does not take even of the owner: it answers the
owner with what is wrong with it, and others that they may not."""


@pytest.mark.parametrize("bucket", [THEIRS, STATE, LEDGER])
async def test_a_tenants_key_is_refused_on_every_bucket_but_its_own(store: Store, bucket: str) -> None:
    attacker, victim = await store.make("a"), await store.make("b")
    if bucket != THEIRS:
        victim = store.access
        KeptBucket(name=bucket, access=victim, holds="state", ensured_by="the test").ensure()
    owner, stranger = s3_client(victim), s3_client(attacker)
    owner.put_object(Bucket=bucket, Key=OBJECT, Body=b"theirs")
    refused = {what: refusal(of(bucket), stranger) for what, of in ASKED.items()}
    assert refused.pop("put") in ("AccessDenied", HUNG_UP)
    assert refused == dict.fromkeys(refused, "AccessDenied")
    assert [each["Key"] for each in owner.list_objects_v2(Bucket=bucket)["Contents"]] == [OBJECT]
    assert owner.get_object(Bucket=bucket, Key=OBJECT)["Body"].read() == b"theirs"
    done = {what: refusal(of(bucket), owner) for what, of in ASKED.items()}
    assert done.pop("open it by a policy") == "MalformedPolicy"
    assert done == dict.fromkeys(done, ""), "control: with its own key"


async def test_an_address_that_a_tenants_key_has_signed_opens_its_own_bucket_only(store: Store) -> None:
    attacker, victim = await store.make("a"), await store.make("b")
    s3_client(victim).put_object(Bucket=THEIRS, Key=OBJECT, Body=b"theirs")
    trust = ssl.create_default_context(cafile=str(store.access.ca))

    def status(key: S3Access) -> int:
        asked = s3_client(key).generate_presigned_url("get_object", Params={"Bucket": THEIRS, "Key": OBJECT})
        return httpx.get(asked, verify=trust, trust_env=False).status_code

    assert status(victim) == 200, "control"
    assert status(attacker) == 403


async def test_a_tenant_copies_nothing_out_of_another_s_bucket(store: Store) -> None:
    attacker, victim = await store.make("a"), await store.make("b")
    s3_client(victim).put_object(Bucket=THEIRS, Key=OBJECT, Body=b"theirs")

    def copy(to: str) -> Ask:
        return lambda s3: s3.copy_object(Bucket=to, Key="copy", CopySource={"Bucket": THEIRS, "Key": OBJECT})

    assert refusal(copy(THEIRS), s3_client(victim)) == "", "control"
    assert refusal(copy(tenant_bucket(REGION, "a")), s3_client(attacker)) == "AccessDenied"


async def test_a_tenant_sees_and_makes_no_buckets_but_its_own(store: Store) -> None:
    attacker, _ = await store.make("a"), await store.make("b")
    names = [each["Name"] for each in s3_client(attacker).list_buckets()["Buckets"]]
    assert names == [tenant_bucket(REGION, "a")]
    assert THEIRS in [each["Name"] for each in s3_client(store.access).list_buckets()["Buckets"]], "control"
    assert refusal(lambda s3: s3.create_bucket(Bucket="lab-more"), s3_client(attacker)) == "AccessDenied"


async def test_a_tenant_manages_no_accounts(store: Store) -> None:
    attacker = ObjectAccounts(access=await store.make("a"))
    await store.make("b")
    with pytest.raises((AccountError, RefusalError), match="XAdminAccessDenied"):
        attacker.renew(THEIRS)
    with pytest.raises(AccountError, match="XAdminAccessDenied"):
        attacker.remove(THEIRS)
    ObjectAccounts(access=store.access).renew(THEIRS)  # control: the operator may


async def test_a_second_run_makes_another_key_for_the_same_bucket_and_the_old_one_is_refused(store: Store) -> None:
    first = await store.make("a")
    s3_client(first).put_object(Bucket=first.access_key, Key=OBJECT, Body=b"kept")
    second = store.opened(await store.handler.update("", {}, store.inputs("a", key=2), store.context))
    assert first.secret_key != second.secret_key
    assert s3_client(second).get_object(Bucket=first.access_key, Key=OBJECT)["Body"].read() == b"kept"
    assert refusal(ASKED["list"](first.access_key), s3_client(first)) == "SignatureDoesNotMatch"


async def test_a_refresh_finds_a_key_that_opens_nothing_and_a_bucket_that_is_gone(store: Store) -> None:
    opened = await store.make("c")
    name = opened.access_key
    state = {**store.inputs("c"), "access_key": name, "secret_key": opened.secret_key}
    outputs = await store.handler.read(name, state, store.context)
    assert outputs is not None
    assert outputs == {"access_key": name, "secret_key": opened.secret_key}
    assert store.handler.unfinished(store.inputs("c"), outputs) == []
    ObjectAccounts(access=store.access).renew(name)
    outputs = await store.handler.read(name, state, store.context) or {}
    assert [change.key for change in store.handler.unfinished(store.inputs("c"), outputs)] == ["key"]
    s3_client(store.access).delete_bucket(Bucket=name)
    again = ObjectAccounts(access=store.access).renew(name)
    assert await store.handler.read(name, {**state, "secret_key": again}, store.context) is None


async def test_an_empty_bucket_goes_with_its_tenant(store: Store) -> None:
    opened = await store.make("d")
    for _ in range(2):
        await store.handler.delete(opened.access_key, store.inputs("d"), store.context)
    assert refusal(lambda s3: s3.head_bucket(Bucket=opened.access_key), s3_client(store.access)) == "404"
    assert refusal(lambda s3: s3.list_buckets(), s3_client(opened)) == "InvalidAccessKeyId"


async def test_a_bucket_that_holds_something_stays_and_is_nobody_s_but_the_operators(store: Store) -> None:
    opened = await store.make("e")
    name = opened.access_key
    s3_client(opened).put_object(Bucket=name, Key=OBJECT, Body=b"kept")
    await store.handler.delete(name, store.inputs("e"), store.context)
    assert store.told[-1] == f"bucket {name} is not empty: it stays, as the operator's"
    operator = s3_client(store.access)
    assert operator.get_object(Bucket=name, Key=OBJECT)["Body"].read() == b"kept"
    with pytest.raises(AccountError, match="change-bucket-owner") as refused:
        await store.make("e")
    assert f"owner {store.access.access_key}" in str(refused.value), "a later tenant of this name does not inherit it"
    operator.delete_object(Bucket=name, Key=OBJECT)
    operator.delete_bucket(Bucket=name)
    await store.make("e")


PROGRAM = f"""
import pathlib, pulumi, sys
sys.path.insert(0, {str(ROOT)!r})
from components.provider.resource import Provider, ProviderArgs
from components.runtime.bucket import Bucket, BucketArgs
here = pathlib.Path(__file__).parent.parent
provider = Provider("lab", ProviderArgs(region="lab", project=str(here)))
endpoint, key = (here / "store").read_text().split()
args = BucketArgs(
    bucket="lab-tenant-f", key=int(key), endpoint=endpoint, credentials="file:s3.json", ca_certificate="file:ca.crt"
)
bucket = Bucket("f", args, pulumi.ResourceOptions(provider=provider))
pulumi.export("secret", bucket.secret_key)
"""


@pytest.mark.timeout(600)
def test_under_pulumi_a_key_is_made_once_kept_encrypted_and_changed_when_its_number_changes(store: Store) -> None:
    here = store.context.project
    plugin = "from components.provider.plugin import main; main()"
    project = PulumiProject(here, PROGRAM, launches=f"exec {sys.executable} -c '{plugin}' \"$@\"")

    def key() -> str:
        return str(json.loads(project.run("stack", "output", "--json", "--show-secrets"))["secret"])

    (here / "store").write_text(f"{store.access.endpoint} 1")
    project.run("stack", "init", "lab.test")
    assert "created" in project.up()
    first = key()
    kept = "".join(p.read_text() for p in (here / "state").rglob("*.json"))
    assert "lab-tenant-f" in kept
    assert first not in kept, "in state it is encrypted"
    logs = "".join(p.read_text() for p in (here / ".region").rglob("*.log"))
    assert "lab-tenant-f" in logs
    assert first not in logs
    assert "created" not in project.up()
    assert key() == first
    (here / "store").write_text(f"{store.access.endpoint} 2")
    assert "updated" in project.up()
    assert key() != first
    s3_client(store.opened({"access_key": "lab-tenant-f", "secret_key": key()})).list_objects_v2(Bucket="lab-tenant-f")
