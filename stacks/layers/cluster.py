"""The cluster: hosts become Kubernetes nodes, then namespaces, quotas and the device class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from components.kubernetes.access import cluster_provider
from components.kubernetes.device_class import GpuDeviceClass, GpuDeviceClassArgs
from components.kubernetes.tenant_namespace import TenantNamespace, TenantNamespaceArgs
from components.plan.actions.playbooks import DEPLOYMENTS
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.serving import device_driver
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
    tenants = [
        TenantNamespace(
            tenant.namespace,
            TenantNamespaceArgs(tenant=tenant, device_class=cluster.device_class, cluster=cluster.name),
            objects,
        )
        for tenant in cluster.tenants
    ]
    pulumi.export("nodes", runs[-1].hosts)
    # only once the last playbook has run on these hosts may the next layer's follow
    pulumi.export(DEPLOYMENTS, pulumi.Output.all(deployments, runs[-1].hosts).apply(lambda both: both[0]))
    return (*runs, gpus, *tenants)
