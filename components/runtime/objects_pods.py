"""Pods of a service: one container under the restricted security level, its GPUs, disks, probes and variables.

Pure functions from the plan: what stands in the cluster can be read, and tested, without Pulumi.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi

from components.plan.fleet import claim_spec
from components.plan.naming import RACK_LABEL
from components.plan.serving import WORKLOAD_ACCOUNT
from components.plan.tenancy.bucket import AUTHORITY, AUTHORITY_FILE, AUTHORITY_FOLDER, CERTIFICATES, SECRET
from components.plan.tenants import ServicePlan
from components.runtime.objects_weights import with_weights
from components.spec.service import Health, Kind, ServicePort, Strategy

if TYPE_CHECKING:
    from pulumi_kubernetes.apps.v1 import DeploymentStrategyArgsDict
    from pulumi_kubernetes.core.v1 import (
        ContainerArgsDict,
        ContainerPortArgsDict,
        EnvVarArgsDict,
        PersistentVolumeClaimSpecArgsDict,
        PodSpecArgsDict,
        PodTemplateSpecArgsDict,
        ProbeArgsDict,
        ResourceRequirementsArgsDict,
        VolumeArgsDict,
        VolumeMountArgsDict,
    )
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
    from pulumi_kubernetes.resource.v1 import ResourceClaimTemplateSpecArgsDict

GRACE_S = 5
"""From SIGTERM to SIGKILL: KEDA stops only pods without requests, so there is little left to finish."""
CLAIM = "gpu"
"""Name of the claim within a pod."""
USER = 65532
"""The non-root user of minimal images."""
MEMORY_LIMIT = 8
"""Times what a replica asks for: beyond that it is ended, before it harms its neighbours."""
READY_INTERVAL_S = 1
"""The kubelet's shortest: a cold start of a service with a path to look at may wait for one look."""
PROGRESS_S = 600
"""Until a new version that does not start is told as failed; what ran goes on."""
VOLUME_CLASS = "local-disk"
"""StorageClass of disks of the host. It must bind once a pod is placed (WaitForFirstConsumer)."""
SERVICE_LABEL = "gpuregion.dev/service"
"""Label of pods by which their use is counted; its value is the service's name."""
SCRAPE, SCRAPE_PORT = "prometheus.io/scrape", "prometheus.io/port"
"""Annotations by which the role `metrics` finds pods that tell about themselves, as engines of models do: tokens are
metered from that."""
BUCKET_KEY = "gpuregion.dev/bucket-key"
"""Annotation of pods that are given the tenant's bucket; its value is the number of the key. Variables of a running
program do not change, so another key is another version."""
VERSION_CHARACTERS = 12
TOLD = {"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"}
"""Variables by which a program knows where it is. A description's own of these names win."""


def claim_template_spec(plan: ServicePlan, device_class: str) -> ResourceClaimTemplateSpecArgsDict:
    """One claim for each pod: as many devices of the class as the service asks for, of the pools that the plan found."""
    if plan.gpu:
        return {"spec": claim_spec(plan.gpu, plan.gpus, device_class)}  # type: ignore[typeddict-item]
    return {
        "spec": {
            "devices": {
                "requests": [{"name": CLAIM, "exactly": {"device_class_name": device_class, "count": plan.gpus}}]
            }
        }
    }


def volume_claim_spec(size_gib: int) -> PersistentVolumeClaimSpecArgsDict:
    """A disk of one host: bound to the host of the first pod, which all later pods are placed on."""
    return {
        "storage_class_name": VOLUME_CLASS,
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{size_gib}Gi"}},
    }


def volume_claim_name(plan: ServicePlan, volume: str) -> str:
    """Name of the claim of one of the service's disks."""
    return f"{plan.name}-{volume}"


def strategy(plan: ServicePlan) -> DeploymentStrategyArgsDict:
    """One new replica at a time, no old one before it runs; or all old ones first."""
    if plan.rollout.strategy is Strategy.IMMEDIATE:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}}


def port_name(plan: ServicePlan, port: ServicePort) -> str:
    """Name of a port, the same in pods and Services. The first of what answers requests is `http`."""
    is_first = plan.kind is Kind.WEB and port == plan.ports[0]
    return "http" if is_first else f"{port.protocol.value}-{port.port}"


def pod_template(
    plan: ServicePlan,
    labels: Mapping[str, str],
    *,
    claim: str | None = None,
    secret: pulumi.Input[str] | None = None,
) -> PodTemplateSpecArgsDict:
    """Pods under the restricted security level, with the claimed GPUs in their only container.

    `claim` is the template of the GPUs' claim, `secret` the Secret that holds the values of `plan.secrets`.
    """
    spec: PodSpecArgsDict = {
        "service_account_name": WORKLOAD_ACCOUNT,
        # Without a token there is no volume to wait for.
        "automount_service_account_token": False,
        "enable_service_links": False,
        "termination_grace_period_seconds": GRACE_S,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": USER,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(plan, claim, secret)],
    }
    if claim:
        spec["resource_claims"] = [{"name": CLAIM, "resource_claim_template_name": claim}]
    if volumes := _volumes(plan):
        spec["volumes"] = volumes
    if plan.volumes:
        spec["security_context"] = {**spec["security_context"], "fs_group": USER}  # type: ignore[typeddict-item]
    if plan.nvlink_domain and plan.kind is not Kind.JOB:  # of a job, Kueue sees to it
        spec["affinity"] = {
            "pod_affinity": {
                "required_during_scheduling_ignored_during_execution": [
                    {
                        "topology_key": RACK_LABEL,
                        "label_selector": {"match_labels": {SERVICE_LABEL: plan.name}},
                    }
                ]
            }
        }
    metadata: ObjectMetaArgsDict = {"labels": {**labels, SERVICE_LABEL: plan.name}}
    annotations = {SCRAPE: "true", SCRAPE_PORT: str(plan.port)} if plan.model else {}
    if plan.bucket_key:
        annotations[BUCKET_KEY] = str(plan.bucket_key)
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": with_weights(spec, plan)}


def _container(plan: ServicePlan, claim: str | None, secret: pulumi.Input[str] | None) -> ContainerArgsDict:
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
        if plan.health.path:
            container["readiness_probe"] = _readiness(plan, plan.health)
    return container


def _volumes(plan: ServicePlan) -> list[VolumeArgsDict]:
    volumes: list[VolumeArgsDict] = [
        {"name": v.name, "persistent_volume_claim": {"claim_name": volume_claim_name(plan, v.name)}}
        for v in plan.volumes
    ]
    if plan.bucket_key:
        volumes.append({"name": AUTHORITY, "config_map": {"name": AUTHORITY}})
    return volumes


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
    """A request to the path, or a connection to the port. The kubelet looks at the pod itself: no look passes the
    interceptor, so none keeps a service awake."""
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
    """Only of a service that names a path. By default there is none: the kubelet looks at most once a second, which
    a cold start would wait for, and the interceptor repeats a refused connection every 50 ms. A server that opens
    its port before it can answer names a path, and pays up to a second for not being asked too early."""
    return {
        **_look(plan, health),
        "period_seconds": READY_INTERVAL_S,
        "timeout_seconds": health.timeout_s,
        "failure_threshold": health.restart_limit,
    }


def version_of(plan: ServicePlan) -> str:
    """A digest of all that a replica is. Values of secrets are not in it: nobody knows them here."""
    said = json.dumps([pod_template(plan, {}), plan.secrets, plan.gpus], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:VERSION_CHARACTERS]
