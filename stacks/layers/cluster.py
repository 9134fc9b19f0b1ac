"""The cluster: hosts become Kubernetes nodes, then the device class, and tenants with their quotas, rights and policies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from components.kubernetes.access import cluster_provider
from components.kubernetes.device_class import GpuDeviceClass, GpuDeviceClassArgs
from components.kubernetes.tenant_namespace import TenantNamespace, TenantNamespaceArgs
from components.kubernetes.tenant_network import TenantNetwork, TenantNetworkArgs
from components.kubernetes.tenant_rights import TenantRights, TenantRightsArgs
from components.kubernetes.tenant_roles import TenantRoles, TenantRolesArgs
from components.plan.actions.playbooks import DEPLOYMENTS
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.serving import device_driver
from components.plan.tenancy.network import endpoints, tenant_ports
from components.plan.tenants import TenantPlan
from components.provider.resource import Provider
from stacks.handover import LayersBelow
from stacks.playbooks import run_in_order

PLAYBOOKS = ("validate.yml", "bootstrap.yml", "cluster.yml")


def declare(plan: RegionPlan, project: Path, provider: Provider) -> Sequence[pulumi.Resource]:
    """Declare the layer's resources; exports the nodes. Returns what the layer is up with."""
    below = LayersBelow(plan.region)
    deployments = below.substrate_deployments()
    before = {
        "fabric": below.fabric_switches(),
        DEPLOYMENTS: deployments,
    }
    runs = run_in_order(plan, project, PLAYBOOKS, provider, after=before)
    cluster = plan.cluster
    kubernetes = cluster_provider(
        cluster.name,
        str(project / kubeconfig_path(plan.region)),
        cluster.name,
        # it reads the kubeconfig when it starts: after the playbooks have made it
        pulumi.ResourceOptions(depends_on=runs),
    )
    # the API server is made by the playbooks, which no output of theirs says
    objects = pulumi.ResourceOptions(providers=[kubernetes], depends_on=runs)
    gpus = GpuDeviceClass(
        cluster.name,
        GpuDeviceClassArgs(device_class=cluster.device_class, driver=device_driver(cluster), cluster=cluster.name),
        objects,
    )
    roles = TenantRoles(cluster.name, TenantRolesArgs(cluster=cluster.name), objects)
    tenants = [resource for tenant in cluster.tenants for resource in _tenant(plan, tenant, objects)]
    pulumi.export("nodes", runs[-1].hosts)
    # only once the last playbook has run on these hosts may the next layer's follow
    pulumi.export(DEPLOYMENTS, pulumi.Output.all(deployments, runs[-1].hosts).apply(lambda both: both[0]))
    return (*runs, gpus, roles, *tenants)


def _tenant(plan: RegionPlan, tenant: TenantPlan, opts: pulumi.ResourceOptions) -> Sequence[pulumi.Resource]:
    """A tenant's namespace, and who may act there and speak to it."""
    cluster, name = plan.cluster, tenant.namespace
    place = TenantNamespace(
        name, TenantNamespaceArgs(tenant=tenant, device_class=cluster.device_class, cluster=cluster.name), opts
    )
    rights = TenantRights(
        f"{name}-rights", TenantRightsArgs(tenant=tenant, namespace=place.namespace, cluster=cluster.name), opts
    )
    network = TenantNetwork(
        f"{name}-network",
        TenantNetworkArgs(
            tenant=tenant,
            namespace=place.namespace,
            ports=tenant_ports(plan, tenant),
            outside=endpoints(plan),
            cluster=cluster.name,
        ),
        opts,
    )
    return (place, rights, network)
