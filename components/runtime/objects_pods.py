"""Pods of a service: one container (objects_container.py) under the restricted security level, GPUs and disks.

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
from components.plan.tenancy.bucket import AUTHORITY
from components.plan.tenants import ServicePlan
from components.runtime.objects_container import CLAIM, container_of
from components.runtime.objects_weights import with_weights
from components.spec.rollout import Strategy
from components.spec.service import Kind

if TYPE_CHECKING:
    from pulumi_kubernetes.apps.v1 import DeploymentStrategyArgsDict
    from pulumi_kubernetes.core.v1 import (
        PersistentVolumeClaimSpecArgsDict,
        PodAffinityArgsDict,
        PodAffinityTermArgsDict,
        PodSpecArgsDict,
        PodTemplateSpecArgsDict,
        VolumeArgsDict,
    )
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
    from pulumi_kubernetes.resource.v1 import ResourceClaimTemplateSpecArgsDict

GRACE_S = 5
"""From SIGTERM to SIGKILL: KEDA stops only pods without requests, so there is little left to finish."""
USER = 65532
"""The non-root user of minimal images."""
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
        "containers": [container_of(plan, claim, secret)],
    }
    if claim:
        spec["resource_claims"] = [{"name": CLAIM, "resource_claim_template_name": claim}]
    if volumes := _volumes(plan):
        spec["volumes"] = volumes
    if plan.volumes:
        spec["security_context"] = {**spec["security_context"], "fs_group": USER}  # type: ignore[typeddict-item]
    if plan.nvlink_domain and plan.kind is not Kind.JOB:  # those of a job are its own: objects_job.py
        spec["affinity"] = {"pod_affinity": in_one_rack(plan)}
    metadata: ObjectMetaArgsDict = {"labels": {**labels, SERVICE_LABEL: plan.name}}
    annotations = {SCRAPE: "true", SCRAPE_PORT: str(plan.port)} if plan.model else {}
    if plan.bucket_key:
        annotations[BUCKET_KEY] = str(plan.bucket_key)
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": with_weights(spec, plan)}


def in_one_rack(plan: ServicePlan, *alike: str) -> PodAffinityArgsDict:
    """Pods of the service that have equal values of the labels `alike` go where the first of them went; a rack is an
    NVLink domain."""
    term: PodAffinityTermArgsDict = {
        "topology_key": RACK_LABEL,
        "label_selector": {"match_labels": {SERVICE_LABEL: plan.name}},
    }
    if alike:
        term["match_label_keys"] = list(alike)
    return {"required_during_scheduling_ignored_during_execution": [term]}


def _volumes(plan: ServicePlan) -> list[VolumeArgsDict]:
    volumes: list[VolumeArgsDict] = [
        {"name": v.name, "persistent_volume_claim": {"claim_name": volume_claim_name(plan, v.name)}}
        for v in plan.volumes
    ]
    if plan.bucket_key:
        volumes.append({"name": AUTHORITY, "config_map": {"name": AUTHORITY}})
    return volumes


def version_of(plan: ServicePlan) -> str:
    """A digest of all that a replica is. Values of secrets are not in it: nobody knows them here."""
    said = json.dumps([pod_template(plan, {}), plan.secrets, plan.gpus], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:VERSION_CHARACTERS]
