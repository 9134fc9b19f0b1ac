"""Who may act for a tenant.

Owns the RoleBindings in the tenant's namespace. Does not own what a role may do (tenant_roles.py), nor how people
show who they are: the region's identity provider does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels
from components.plan.tenancy.rights import binding, binding_name
from components.plan.tenants import TenantPlan
from components.spec.tenant import PersonRole


@dataclass(frozen=True, kw_only=True)
class TenantRightsArgs:
    """What TenantRights are made of."""

    tenant: TenantPlan
    """People and their roles, from the plan."""
    namespace: pulumi.Input[str]
    """Where the rights hold."""
    cluster: str
    """Cluster that the rights are part of, for their labels."""


class TenantRights(pulumi.ComponentResource):
    """The people of a tenant, with their roles."""

    namespace: pulumi.Output[str]
    """Where the rights hold."""

    def __init__(self, name: str, args: TenantRightsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:TenantRights", name, None, opts)
        labels = standard_labels(args.tenant.namespace, component="tenant", part_of=args.cluster)
        for role in PersonRole:
            if bound := binding_name(args.tenant, role):
                kubernetes.rbac.v1.RoleBinding(
                    f"{name}-{role.value}",
                    metadata={"name": bound, "namespace": args.namespace, "labels": labels},
                    **cast("Any", binding(args.tenant, role)),
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.namespace = pulumi.Output.from_input(args.namespace)
        self.register_outputs({"namespace": self.namespace})
