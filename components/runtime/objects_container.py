"""The container of a service's pods: its image, variables, ports, probes, disks, and what it may use.

Pure functions from the plan, as objects_pods.py, whose pods they are a part of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components.plan.tenancy.bucket import AUTHORITY, AUTHORITY_FILE, AUTHORITY_FOLDER, CERTIFICATES, SECRET
from components.plan.tenants import ServicePlan
from components.spec.service import Health, Kind, ServicePort

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import (
        ContainerArgsDict,
        ContainerPortArgsDict,
        EnvVarArgsDict,
        ProbeArgsDict,
        ResourceRequirementsArgsDict,
        VolumeMountArgsDict,
    )

CLAIM = "gpu"
"""Name of the claim within a pod."""
MEMORY_LIMIT = 8
"""Times what a replica asks for: beyond that it is ended, before it harms its neighbours."""
READY_INTERVAL_S = 1
"""The kubelet's shortest: a cold start of a service whose program is asked may wait for one look."""
TOLD = {"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"}
"""Variables by which a program knows where it is. A description's own of these names win."""


def port_name(plan: ServicePlan, port: ServicePort) -> str:
    """Name of a port, the same in pods and Services. The first of what answers requests is `http`."""
    is_first = plan.kind is Kind.WEB and port == plan.ports[0]
    return "http" if is_first else f"{port.protocol.value}-{port.port}"


def container_of(plan: ServicePlan, claim: str | None, secret: pulumi.Input[str] | None) -> ContainerArgsDict:
    """The only container of a pod; `claim` and `secret` as `objects_pods.pod_template` has them."""
    resources: ResourceRequirementsArgsDict = {
        "requests": {"cpu": _cores(plan.cpu), "memory": f"{plan.memory_mib}Mi"},
        "limits": {"memory": f"{plan.memory_mib * MEMORY_LIMIT}Mi"},
    }
    if claim:
        resources["claims"] = [{"name": CLAIM}]
    container: ContainerArgsDict = {
        "name": plan.name,
        "image": plan.image,
        "env": _variables(plan, secret),
        "resources": resources,
        "security_context": {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
            "read_only_root_filesystem": True,
        },
    }
    if plan.ports and plan.kind is not Kind.JOB:
        container["ports"] = [_port(plan, port) for port in plan.ports]
    if plan.args:
        container["args"] = list(plan.args)
    if plan.bucket_key:
        container["env_from"] = [{"secret_ref": {"name": SECRET}}]
    if mounts := _mounts(plan):
        container["volume_mounts"] = mounts
    if plan.health and plan.ports and plan.kind is not Kind.JOB:
        container["liveness_probe"] = _liveness(plan, plan.health)
        if plan.health.asks_program:
            container["readiness_probe"] = _readiness(plan, plan.health)
    return container


def _mounts(plan: ServicePlan) -> list[VolumeMountArgsDict]:
    mounts: list[VolumeMountArgsDict] = [{"name": v.name, "mount_path": v.path} for v in plan.volumes]
    if plan.bucket_key:
        mounts.append({"name": AUTHORITY, "mount_path": AUTHORITY_FOLDER, "read_only": True})
    return mounts


def _cores(cpu: float) -> str:
    """Cores in the API's own notation, which it would otherwise put in its place: 0.1 is 100m, 2 is 2."""
    milli = round(cpu * 1000)
    return f"{milli // 1000}" if milli % 1000 == 0 else f"{milli}m"


def _port(plan: ServicePlan, port: ServicePort) -> ContainerPortArgsDict:
    return {"name": port_name(plan, port), "container_port": port.port, "protocol": "TCP"}


def _variables(plan: ServicePlan, secret: pulumi.Input[str] | None) -> list[EnvVarArgsDict]:
    own = {name for name, _ in (*plan.env, *plan.secrets)}
    told: dict[str, EnvVarArgsDict] = {}
    if plan.ports and plan.kind is not Kind.JOB:
        told["PORT"] = {"name": "PORT", "value": str(plan.port)}
    if plan.bucket_key:
        told[CERTIFICATES] = {"name": CERTIFICATES, "value": f"{AUTHORITY_FOLDER}/{AUTHORITY_FILE}"}
    for name, field in TOLD.items():
        told[name] = {"name": name, "value_from": {"field_ref": {"field_path": field}}}
    variables = [variable for name, variable in told.items() if name not in own]
    for name, value in plan.env:
        variables.append({"name": name, "value": value})
    if secret is not None:
        for name, _ in plan.secrets:
            variables.append({"name": name, "value_from": {"secret_key_ref": {"name": secret, "key": name}}})
    return variables


def _look(plan: ServicePlan, health: Health) -> ProbeArgsDict:
    """A request to the path, a call of the health service, or a connection to the port. The kubelet looks at the pod
    itself: no look passes the interceptor, so none keeps a service awake."""
    if health.grpc:
        return {"grpc": {"port": plan.port}}
    if health.path:
        return {"http_get": {"path": health.path, "port": plan.port}}
    return {"tcp_socket": {"port": plan.port}}


def _liveness(plan: ServicePlan, health: Health) -> ProbeArgsDict:
    return {
        **_look(plan, health),
        "initial_delay_seconds": health.grace_s,
        "period_seconds": health.interval_s,
        "timeout_seconds": health.timeout_s,
        "failure_threshold": health.restart_limit,
    }


def _readiness(plan: ServicePlan, health: Health) -> ProbeArgsDict:
    """Only of a service whose program is asked. By default there is none: the kubelet looks at most once a second,
    which a cold start would wait for, and the interceptor repeats a refused connection every 50 ms. A server that opens
    its port before it can answer names a path or `grpc`, and pays up to a second for not being asked too early."""
    return {
        **_look(plan, health),
        "period_seconds": READY_INTERVAL_S,
        "timeout_seconds": health.timeout_s,
        "failure_threshold": health.restart_limit,
    }
