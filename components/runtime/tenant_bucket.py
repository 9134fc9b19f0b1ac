"""A tenant's bucket, and what its pods need to use it.

Owns the bucket with its account, the Secret with its key, and the ConfigMap with the authority's certificate. Does not
own what the pods make of them: a service asks for them in the tenant's file (objects_pods.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels
from components.plan.tenancy.bucket import ACCESS_KEY, AUTHORITY, AUTHORITY_FILE, SECRET, SECRET_KEY, variables
from components.plan.tenants import TenantPlan
from components.runtime.bucket import Bucket, BucketArgs


@dataclass(frozen=True, kw_only=True)
class TenantBucketArgs:
    """What a TenantBucket is made of."""

    tenant: TenantPlan
    """Names, and the number of the key, from the plan."""
    endpoint: str
    """`https://address:port` of the store."""
    credentials: str
    """Reference to the operator's key."""
    ca_certificate: str
    """Reference to the certificate of the region's authority."""
    authority: pulumi.Input[str]
    """That certificate, PEM."""
    region: str
    """Region that it is part of, for the labels."""


class TenantBucket(pulumi.ComponentResource):
    """A bucket of the tenant's own, and the Secret by which its pods use it."""

    secret: pulumi.Output[str]
    """Name of the Secret, once it exists."""

    def __init__(self, name: str, args: TenantBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:runtime:TenantBucket", name, None, opts)
        tenant = args.tenant
        labels = standard_labels(tenant.name, component="tenant-bucket", part_of=args.region)
        own = pulumi.ResourceOptions(parent=self)
        bucket = Bucket(
            f"{name}-store",
            BucketArgs(
                bucket=tenant.bucket,
                key=tenant.bucket_key,
                endpoint=args.endpoint,
                credentials=args.credentials,
                ca_certificate=args.ca_certificate,
            ),
            own,
        )
        told = variables(tenant.bucket, args.endpoint)
        secret = kubernetes.core.v1.Secret(
            f"{name}-key",
            metadata={"name": SECRET, "namespace": tenant.namespace, "labels": labels},
            string_data={**told, ACCESS_KEY: bucket.access_key, SECRET_KEY: bucket.secret_key},
            opts=own,
        )
        kubernetes.core.v1.ConfigMap(
            f"{name}-authority",
            metadata={"name": AUTHORITY, "namespace": tenant.namespace, "labels": labels},
            data={AUTHORITY_FILE: args.authority},
            opts=own,
        )
        self.secret = secret.metadata["name"]
        self.register_outputs({"secret": self.secret})
