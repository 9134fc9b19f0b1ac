"""A tenant's place in a cluster.

Owns the Namespace with its pod security level, the ServiceAccount of the tenant's pods, and the
bounds of what they use. Does not own who may act there nor speak to it (tenant_rights.py, tenant_network.py), nor
what runs there: that is components/runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels
from components.plan.serving import TENANT_LABEL, WORKLOAD_ACCOUNT
from components.plan.tenancy.quota import QUOTA, limits_spec, quota_spec
from components.plan.tenants import TenantPlan

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

POD_SECURITY = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""Tenants' pods are refused unless they run as non-root, without capabilities and privileges."""


@dataclass(frozen=True, kw_only=True)
class TenantNamespaceArgs:
    """What a TenantNamespace is made of."""

    tenant: TenantPlan
    """Name and quota, from the plan."""
    device_class: str
    """Class whose devices the GPU quota counts."""
    cluster: str
    """Cluster that the namespace is part of, for its labels."""


class TenantNamespace(pulumi.ComponentResource):
    """A namespace with an account, a security level and a quota."""

    namespace: pulumi.Output[str]
    """Name of the namespace, once it exists."""
    service_account: pulumi.Output[str]
    """Account of the tenant's pods, once it exists."""

    def __init__(self, name: str, args: TenantNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:TenantNamespace", name, None, opts)
        self._labels = standard_labels(args.tenant.namespace, component="tenant", part_of=args.cluster)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": args.tenant.namespace,
                "labels": {**self._labels, **POD_SECURITY, TENANT_LABEL: args.tenant.namespace},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.namespace = namespace.metadata["name"]
        self.service_account = self._create_account(name)
        self._create_quota(name, args)
        self.register_outputs({"namespace": self.namespace, "service_account": self.service_account})

    def _create_account(self, name: str) -> pulumi.Output[str]:
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata={"name": WORKLOAD_ACCOUNT, "namespace": self.namespace, "labels": self._labels},
            # A token that nobody needs is a token that can leak; mounting it also delays each start.
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return account.metadata["name"]

    def _create_quota(self, name: str, args: TenantNamespaceArgs) -> None:
        metadata: ObjectMetaArgsDict = {"name": QUOTA, "namespace": self.namespace, "labels": self._labels}
        kubernetes.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata=metadata,
            spec=cast("Any", quota_spec(args.tenant, args.device_class)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        kubernetes.core.v1.LimitRange(
            f"{name}-limits",
            metadata=metadata,
            spec=cast("Any", limits_spec()),
            opts=pulumi.ResourceOptions(parent=self),
        )
