"""Whom a tenant's pods may speak to.

Owns the NetworkPolicies of its namespace. Does not own what enforces them: the runtime's playbook installs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels
from components.plan.tenancy.network import Outside, policies
from components.plan.tenants import TenantPlan


@dataclass(frozen=True, kw_only=True)
class TenantNetworkArgs:
    """What a TenantNetwork is made of."""

    tenant: TenantPlan
    """Whose pods they are, from the plan."""
    namespace: pulumi.Input[str]
    """Where the policies hold."""
    ports: Sequence[int]
    """Ports on which the tenant's services are called."""
    outside: Sequence[Outside]
    """Endpoints of the region that pods may reach."""
    cluster: str
    """Cluster that the policies are part of, for their labels."""


class TenantNetwork(pulumi.ComponentResource):
    """Policies that refuse everything but what is named."""

    policies: pulumi.Output[list[str]]
    """Names of the policies."""

    def __init__(self, name: str, args: TenantNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:TenantNetwork", name, None, opts)
        labels = standard_labels(args.tenant.namespace, component="tenant", part_of=args.cluster)
        specs = policies(args.ports, args.outside)
        for policy, spec in specs.items():
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-{policy}",
                metadata={"name": policy, "namespace": args.namespace, "labels": labels},
                spec=cast("Any", spec),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.policies = pulumi.Output.from_input(sorted(specs))
        self.register_outputs({"policies": self.policies})
