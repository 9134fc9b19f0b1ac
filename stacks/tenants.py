"""What the runtime gives each tenant: a queue for GPUs, a place at the gateway, a bucket, and weights of models.

Owns which components these are and what they are told. Namespaces, with rights and policies, are the cluster layer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from components.kubernetes.gpu_flavors import GpuFlavors, GpuFlavorsArgs
from components.kubernetes.tenant_queue import TenantQueue, TenantQueueArgs
from components.plan.inventory import weights_credentials
from components.plan.model import RegionPlan
from components.plan.naming import WEIGHTS_BUCKET
from components.plan.tenancy.queues import flavor_labels, gpu_pools, shares
from components.runtime.bucket_reader import BucketReader, BucketReaderArgs
from components.runtime.tenant_bucket import TenantBucket, TenantBucketArgs
from components.runtime.tenant_gateway import TenantGateway, TenantGatewayArgs
from stacks.secret_values import public_value, secret_value


def declare_queues(plan: RegionPlan, opts: pulumi.ResourceOptions) -> Sequence[pulumi.Resource]:
    """The flavors of GPUs, and each tenant's queue for them."""
    cluster, pools = plan.cluster, gpu_pools(plan)
    flavors = GpuFlavors(cluster.name, GpuFlavorsArgs(flavors=flavor_labels(pools), cluster=cluster.name), opts)
    given = shares(cluster.tenants, pools)
    queues = [
        TenantQueue(
            f"{tenant.namespace}-queue",
            TenantQueueArgs(tenant=tenant, share=given[tenant.name], cluster=cluster.name),
            opts,
        )
        for tenant in cluster.tenants
    ]
    return (flavors, *queues)


def declare_doors(plan: RegionPlan, project: Path, opts: pulumi.ResourceOptions) -> dict[str, TenantGateway]:
    """Tenant -> its place at the gateway."""
    return {
        tenant.name: TenantGateway(
            f"{tenant.name}-gateway",
            TenantGatewayArgs(
                tenant=tenant,
                gateway=plan.runtime.gateway,
                keys={key.name: secret_value(project, key.secret) for key in tenant.keys},
                ca_certificate=plan.endpoints.ca_certificate,
                ca_key=plan.endpoints.ca_key,
                region=plan.region,
            ),
            opts,
        )
        for tenant in plan.cluster.tenants
    }


def declare_buckets(plan: RegionPlan, project: Path, opts: pulumi.ResourceOptions) -> Sequence[TenantBucket]:
    """Each tenant's bucket in the region's object store."""
    endpoints = plan.endpoints
    authority = public_value(project, endpoints.ca_certificate)
    return [
        TenantBucket(
            f"{tenant.name}-bucket",
            TenantBucketArgs(
                tenant=tenant,
                endpoint=endpoints.s3,
                credentials=endpoints.credentials["s3"],
                ca_certificate=endpoints.ca_certificate,
                authority=authority,
                region=plan.region,
            ),
            opts,
        )
        for tenant in plan.cluster.tenants
    ]


def declare_weights_reader(plan: RegionPlan, opts: pulumi.ResourceOptions | None) -> BucketReader:
    """The account of the caches of weights, and the bucket that it reads."""
    endpoints = plan.endpoints
    return BucketReader(
        f"{plan.region}-{WEIGHTS_BUCKET}-reader",
        BucketReaderArgs(
            bucket=WEIGHTS_BUCKET,
            reader=weights_credentials(plan),
            endpoint=endpoints.s3,
            credentials=endpoints.credentials["s3"],
            ca_certificate=endpoints.ca_certificate,
        ),
        opts,
    )
