"""What roles of people may do, once for all tenants of a cluster.

Owns the ClusterRoles. Does not own who has them: tenant_rights.py gives them, in one namespace each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels
from components.plan.tenancy.rights import role_name, role_rules
from components.spec.tenant import PersonRole


@dataclass(frozen=True, kw_only=True)
class TenantRolesArgs:
    """What TenantRoles are made of."""

    cluster: str
    """Cluster that the roles are part of, for their labels."""


class TenantRoles(pulumi.ComponentResource):
    """One ClusterRole for each role of the description."""

    roles: pulumi.Output[list[str]]
    """Names of the ClusterRoles."""

    def __init__(self, name: str, args: TenantRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:TenantRoles", name, None, opts)
        for role in PersonRole:
            kubernetes.rbac.v1.ClusterRole(
                f"{name}-{role.value}",
                metadata={
                    "name": role_name(role),
                    "labels": standard_labels(role_name(role), component="tenant-role", part_of=args.cluster),
                },
                rules=cast("Any", role_rules(role)),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.roles = pulumi.Output.from_input([role_name(role) for role in PersonRole])
        self.register_outputs({"roles": self.roles})
