"""The cluster: hosts become Kubernetes nodes, then namespaces, quotas and the device class."""

from __future__ import annotations

from pathlib import Path

import pulumi
from components.clients.ansible import content_digest
from components.kubernetes.playbook import PlaybookRun, PlaybookRunArgs

from components.kubernetes.access import cluster_provider
from components.kubernetes.device_class import GpuDeviceClass, GpuDeviceClassArgs
from components.kubernetes.tenant_namespace import TenantNamespace, TenantNamespaceArgs
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.resources import playbook_inputs
from components.plan.serving import device_driver
from components.provider.resource import Provider, ProviderArgs
from stacks.handover import output_of


def declare(plan: RegionPlan, project: Path) -> None:
    """Declare the layer's resources; exports the nodes."""
    provider = Provider("gpuregion", ProviderArgs(region=plan.region, project=str(project)))
    options = pulumi.ResourceOptions(provider=provider)
    before = {
        "fabric": output_of(plan.region, "fabric", "switches"),
        "substrate": output_of(plan.region, "substrate", "racks"),
    }
    runs: list[PlaybookRun] = []
    for playbook in ("bootstrap.yml", "cluster.yml"):
        inputs = playbook_inputs(plan, playbook, content_digest(project / "playbooks", playbook))
        # each run needs what the one before it made on the hosts, which no output carries
        runs.append(
            PlaybookRun(
                f"{plan.region}-{playbook.removesuffix('.yml')}",
                PlaybookRunArgs(inputs=inputs, after=before),
                pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=list(runs))),
            )
        )
    kubernetes = cluster_provider(plan.cluster.name, str(kubeconfig_path(plan.region)), plan.cluster.name)
    objects = pulumi.ResourceOptions(
        providers=[kubernetes], depends_on=list(runs)
    )  # the API server is made by the playbook
    GpuDeviceClass(
        plan.cluster.name,
        GpuDeviceClassArgs(
            device_class=plan.cluster.device_class, driver=device_driver(plan.cluster), cluster=plan.cluster.name
        ),
        objects,
    )
    for namespace in plan.cluster.namespaces:
        TenantNamespace(
            namespace.name,
            TenantNamespaceArgs(namespace=namespace, device_class=plan.cluster.device_class, cluster=plan.cluster.name),
            objects,
        )
    pulumi.export("nodes", runs[-1].hosts)
