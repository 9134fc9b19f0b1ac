"""Buckets of tenants on the lab, and what their keys have signed, for tests that attack them."""

from __future__ import annotations

import base64
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from components.clients.object_accounts import ObjectAccounts
from components.clients.s3 import S3Access, s3_client
from components.plan.model import RegionPlan
from components.plan.tenancy.bucket import ACCESS_KEY, SECRET, SECRET_KEY
from components.spec.derive import tenant_bucket
from tests.e2e.process import ROOT
from tests.e2e.tenants import read

OBJECT = "isolation"


def operator(plan: RegionPlan) -> S3Access:
    """The store, with the key that opens all of it."""
    endpoints = plan.endpoints
    return S3Access.from_references(
        ROOT, endpoint=endpoints.s3, credentials=endpoints.credentials["s3"], ca=endpoints.ca_certificate
    )


@contextmanager
def made(plan: RegionPlan, tenant: str) -> Generator[S3Access]:
    """The bucket of a tenant that Pulumi does not know, and its key; it holds one object, and goes at the end."""
    access = operator(plan)
    accounts, name = ObjectAccounts(access=access), tenant_bucket(plan.region, tenant)
    try:
        own = replace(access, access_key=name, secret_key=accounts.renew(name))
        accounts.own(name, name)
        with _holding(own):
            yield own
    finally:
        accounts.remove(name)
        accounts.release(name)


@contextmanager
def given(plan: RegionPlan, namespace: str) -> Generator[S3Access]:
    """What pods of a namespace are given, from its Secret; its bucket holds one object meanwhile."""
    told = read("-n", namespace, "secret", SECRET)["data"]
    access_key, secret_key = (base64.b64decode(told[key]).decode() for key in (ACCESS_KEY, SECRET_KEY))
    own = replace(operator(plan), access_key=access_key, secret_key=secret_key)
    with _holding(own):
        yield own


@contextmanager
def _holding(own: S3Access) -> Generator[None]:
    """An account is called as its bucket is."""
    client = s3_client(own)
    client.put_object(Bucket=own.access_key, Key=OBJECT, Body=b"theirs")
    try:
        yield
    finally:
        client.delete_object(Bucket=own.access_key, Key=OBJECT)


def signed(access: S3Access, bucket: str) -> list[str]:
    """A list and a read of a bucket, as addresses that this key has signed: all that a pod needs to ask for them."""
    client = s3_client(access)
    return [
        client.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket}, ExpiresIn=900),
        client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": OBJECT}, ExpiresIn=900),
    ]
