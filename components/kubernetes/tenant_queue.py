"""The queue in which a tenant's jobs wait for GPUs.

Owns the ClusterQueue with what is promised and what may be borrowed, and the LocalQueue that jobs name. Does not own
the flavors that it counts (gpu_flavors.py), nor Kueue: the runtime's playbook installs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import standard_labels
from components.plan.tenancy.queues import API, LOCAL_QUEUE, cluster_queue_spec, local_queue_spec
from components.plan.tenants import TenantPlan


@dataclass(frozen=True, kw_only=True)
class TenantQueueArgs:
    """What a TenantQueue is made of."""

    tenant: TenantPlan
    """Quota and what may be borrowed, from the plan."""
    share: Mapping[str, int]
    """Pool -> GPUs of it that are promised to the tenant."""
    cluster: str
    """Cluster, whose queues lend to each other."""


class TenantQueue(pulumi.ComponentResource):
    """A queue with quota, in the cluster's cohort."""

    queue: pulumi.Output[str]
    """Name that the tenant's jobs give as `kueue.x-k8s.io/queue-name`."""

    def __init__(self, name: str, args: TenantQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:TenantQueue", name, None, opts)
        tenant = args.tenant
        labels = standard_labels(tenant.namespace, component="tenant", part_of=args.cluster)
        cluster_queue = CustomResource(
            f"{name}-cluster-queue",
            api_version=API,
            kind="ClusterQueue",
            metadata={"name": tenant.namespace, "labels": labels},
            spec=cluster_queue_spec(tenant, args.share, args.cluster),
            opts=pulumi.ResourceOptions(parent=self),
        )
        CustomResource(
            f"{name}-local-queue",
            api_version=API,
            kind="LocalQueue",
            metadata={"name": LOCAL_QUEUE, "namespace": tenant.namespace, "labels": labels},
            spec=local_queue_spec(tenant),
            # It names the ClusterQueue, whose name is known before it exists.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[cluster_queue]),
        )
        self.queue = cluster_queue.id.apply(lambda _: LOCAL_QUEUE)
        self.register_outputs({"queue": self.queue})
