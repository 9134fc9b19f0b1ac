"""A tenant's bucket: what it is called, what its pods are told, and what a change of it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from components.clients import object_accounts
from components.clients.object_accounts import AccountError, ObjectAccounts
from components.clients.s3 import Answer, S3Access
from components.plan import RegionPlan
from components.plan.consequences.hosts import HostChange
from components.plan.consequences.tenants import tenant_effects
from components.plan.naming import acceptance_bucket, state_bucket
from components.plan.tenants import TenantPlan
from components.provider.bucket_preview import BucketPreview
from components.runtime.objects_pods import pod_template, version_of
from components.runtime.tenant_bucket import TenantBucket, TenantBucketArgs
from components.spec.derive import tenant_bucket
from tests.a_service import chat
from tests.pulumi_mocks import Registered, children, declare

DEMO = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4, bucket="lab-tenant-demo")
ENDPOINT = "https://172.30.0.1:7070"


def declared() -> dict[str, Registered]:
    def program() -> None:
        args = TenantBucketArgs(
            tenant=DEMO,
            endpoint=ENDPOINT,
            credentials="file:s3.json",
            ca_certificate="file:ca.crt",
            authority="PEM",
            region="lab",
        )
        TenantBucket("demo-bucket", args)

    return declare(program)


def inputs(**changed: Any) -> dict[str, Any]:
    store = {"endpoint": ENDPOINT, "credentials": "file:s3.json", "ca_certificate": "file:ca.crt"}
    return {"bucket": "lab-tenant-demo", "key": 1, **store, **changed}


def test_every_tenant_has_a_bucket_by_the_name_of_its_namespace(lab_plan: RegionPlan) -> None:
    assert {tenant.bucket for tenant in lab_plan.cluster.tenants} == {"lab-tenant-demo"}


@pytest.mark.parametrize("tenant", ["state", "acceptance"])
def test_no_tenant_has_the_bucket_of_the_regions_own_state(tenant: str) -> None:
    assert tenant_bucket("lab", tenant) not in (state_bucket("lab"), acceptance_bucket("lab"))


def test_a_tenants_namespace_holds_the_key_and_the_authority() -> None:
    seen = children(declared(), "demo-bucket")
    secret, authority = seen["demo-bucket-key"].inputs, seen["demo-bucket-authority"].inputs
    assert {each["metadata"]["namespace"] for each in (secret, authority)} == {"tenant-demo"}
    assert (secret["metadata"]["name"], authority["metadata"]["name"]) == ("bucket", "region-ca")
    assert authority["data"] == {"ca.crt": "PEM"}
    # Marked secret as a whole. The stand-in for the provider makes no key.
    assert secret["stringData"]["value"] == {
        "BUCKET": "lab-tenant-demo",
        "AWS_ENDPOINT_URL_S3": ENDPOINT,
        "AWS_REGION": "us-east-1",
    }


def test_the_provider_is_told_of_references_and_of_no_key() -> None:
    assert declared()["demo-bucket-store"].inputs == inputs()


def test_a_service_that_asks_for_the_bucket_is_given_key_and_certificate() -> None:
    told = cast("dict[str, Any]", pod_template(replace(chat(), bucket_key=1), {"a": "b"}))["spec"]
    (container,) = told["containers"]
    assert container["env_from"] == [{"secret_ref": {"name": "bucket"}}]
    assert {"name": "AWS_CA_BUNDLE", "value": "/etc/region/ca.crt"} in container["env"]
    assert container["volume_mounts"] == [{"name": "region-ca", "mount_path": "/etc/region", "read_only": True}]
    assert told["volumes"] == [{"name": "region-ca", "config_map": {"name": "region-ca"}}]


def test_a_service_that_does_not_ask_is_given_nothing() -> None:
    told = cast("dict[str, Any]", pod_template(chat(), {"a": "b"}))["spec"]
    assert "volumes" not in told
    assert "env_from" not in told["containers"][0]


def test_another_key_is_another_version_of_what_runs_with_it() -> None:
    with_key = replace(chat(), bucket_key=1)
    assert version_of(with_key) != version_of(replace(with_key, bucket_key=2))
    assert version_of(with_key) == version_of(replace(with_key))


def test_a_bucket_as_it_is_described_is_left_alone() -> None:
    handler = BucketPreview()
    assert handler.check(inputs()) == []
    assert handler.diff(inputs(), inputs()) == []
    assert handler.unfinished(inputs(), {"secret_key": "known"}) == []


def test_another_number_is_another_key_and_the_preview_says_that_the_old_one_ends() -> None:
    (change,) = BucketPreview().diff(inputs(), inputs(key=2))
    assert "the old one is refused" in change.text
    assert not change.replaces


def test_another_name_is_another_bucket() -> None:
    (change,) = BucketPreview().diff(inputs(), inputs(bucket="lab-tenant-other"))
    assert change.replaces


def test_a_key_that_a_refresh_found_useless_is_made_anew() -> None:
    assert [change.key for change in BucketPreview().unfinished(inputs(), {"secret_key": ""})] == ["key"]


def test_a_bucket_without_a_store_is_refused() -> None:
    assert [problem.path for problem in BucketPreview().check(inputs(endpoint=""))] == ["endpoint"]


def test_the_preview_says_what_becomes_of_a_bucket(lab_plan: RegionPlan) -> None:
    def effects(tenants: tuple[TenantPlan, ...]) -> list[str]:
        new = replace(lab_plan, cluster=replace(lab_plan.cluster, tenants=tenants))
        return [effect.change for effect in tenant_effects(lab_plan, new, HostChange(planned=(), in_service={}))]

    tenants = lab_plan.cluster.tenants
    assert effects(tenants) == []
    (gone,) = effects(())
    assert "its bucket goes if it is empty, and else stays as the operator's" in gone
    (renewed,) = effects((replace(tenants[0], bucket_key=2),))
    assert renewed == "its bucket gets another key, and the old one is refused"


def test_a_store_that_does_not_answer_is_named_and_its_key_is_not(tmp_path: Path) -> None:
    access = S3Access(endpoint="https://127.0.0.1:9", access_key="operator", secret_key="of a test", ca=tmp_path)
    with pytest.raises(AccountError) as caught:
        ObjectAccounts(access=access).renew("lab-tenant-demo")
    assert "https://127.0.0.1:9" in str(caught.value)
    assert "of a test" not in str(caught.value)


def always(answer: Answer) -> Callable[..., Answer]:
    def ask(*_: object, **__: object) -> Answer:
        return answer

    return ask


def test_a_store_without_accounts_is_told_from_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = ObjectAccounts(access=S3Access(endpoint=ENDPOINT, access_key="o", secret_key="k", ca=tmp_path))
    single = b"<Error><Code>XAdminMethodNotSupported</Code><Message>not in single mode</Message></Error>"
    for content, status, says in (
        (single, 501, "start versitygw with an account service"),
        (b"<html>", 405, "start versitygw with an account service"),
        (b"<Error><Code>XAdminAccessDenied</Code></Error>", 403, "is the store up, and the key the operator's"),
    ):
        monkeypatch.setattr(object_accounts, "ask", always(Answer(status=status, content=content)))
        with pytest.raises(AccountError) as caught:
            accounts.renew("lab-tenant-demo")
        assert says in str(caught.value)
