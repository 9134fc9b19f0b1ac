"""The runtime: GPU drivers, the serverless platform, and the services that tenants run on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from components.kubernetes.access import cluster_provider
from components.plan.actions.playbooks import DEPLOYMENTS
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.provider.resource import Provider
from components.runtime.gateway import Gateway, GatewayArgs
from stacks.handover import LayersBelow
from stacks.playbooks import run_in_order
from stacks.services import declare_services
from stacks.tenants import declare_buckets, declare_doors, declare_queues, declare_weights_reader

PLAYBOOKS = ("drivers.yml", "runtime.yml")


def declare(plan: RegionPlan, project: Path, provider: Provider) -> Sequence[pulumi.Resource]:
    """Declare the layer's resources; exports the address of each service. Returns what the layer is up with."""
    below = LayersBelow(plan.region)
    before = {
        "nodes": below.output("cluster", "nodes"),
        DEPLOYMENTS: below.cluster_deployments(),
    }
    reader = declare_weights_reader(plan, pulumi.ResourceOptions(provider=provider))
    runs = run_in_order(plan, project, PLAYBOOKS, provider, after=before, depends_on=[reader])
    cluster, runtime = plan.cluster, plan.runtime
    kubernetes = cluster_provider(
        cluster.name,
        str(project / kubeconfig_path(plan.region)),
        cluster.name,
        # it reads the kinds of objects when it starts: after the playbooks have made them
        pulumi.ResourceOptions(depends_on=runs),
    )
    # the kinds that these objects are of come with the playbooks
    gateway = Gateway(
        runtime.gateway,
        GatewayArgs(
            gateway=runtime.gateway,
            vip=runtime.gateway_vip,
            health_host=runtime.health_host,
            health_path=runtime.health_path,
            region=plan.region,
        ),
        pulumi.ResourceOptions(providers=[kubernetes], depends_on=runs),
    )
    queues = declare_queues(plan, pulumi.ResourceOptions(providers=[kubernetes], depends_on=runs))
    doors = declare_doors(plan, project, pulumi.ResourceOptions(providers=[kubernetes, provider], depends_on=[gateway]))
    buckets = declare_buckets(plan, project, pulumi.ResourceOptions(providers=[kubernetes, provider], depends_on=runs))
    listeners = {tenant: door.listeners for tenant, door in doors.items()}
    # pods that are given the bucket are made, or made anew, when its Secret has the key
    declared = declare_services(plan, project, listeners, kubernetes, (*runs, *buckets))
    pulumi.export("services", {key: service.url for key, service in declared.services.items()})
    return (reader, *runs, gateway, *queues, *doors.values(), *buckets, *declared.services.values(), *declared.jobs)
