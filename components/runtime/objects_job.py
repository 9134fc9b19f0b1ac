"""A job: pods that run to their end, which the tenant's queue starts all at once or not at all.

Pure functions from the plan. Kueue owns `suspend`: the job is made suspended, and starts once there is quota, and room
in one NVLink domain where that is asked, for all its pods together.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pulumi

from components.plan.naming import RACK_LABEL
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import SERVICE_LABEL, pod_template
from components.spec.service import Gang

if TYPE_CHECKING:
    from pulumi_kubernetes.batch.v1 import JobSpecArgsDict
    from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
QUEUE = "tenant"
"""The queue of each tenant's namespace (components/plan/tenancy)."""
TOPOLOGY_ANNOTATION = "kueue.x-k8s.io/podset-required-topology"
"""Of a job's pods: the level of the topology of which one member must hold them all."""
DIGEST_CHARACTERS = 10


def job_name(plan: ServicePlan) -> str:
    """Name and a digest of all that the job is: what Kubernetes does not let change is a new job then."""
    said = json.dumps([job_spec(plan, {}), plan.secrets], sort_keys=True, default=str)
    return f"{plan.name}-{hashlib.sha256(said.encode()).hexdigest()[:DIGEST_CHARACTERS]}"


def job_labels() -> dict[str, str]:
    """By which Kueue takes it."""
    return {QUEUE_LABEL: QUEUE}


def job_spec(
    plan: ServicePlan, labels: dict[str, str], *, claim: str | None = None, secret: pulumi.Input[str] | None = None
) -> JobSpecArgsDict:
    """All pods at the same time, each with its number; the first failure beyond `retries` ends all."""
    gang = plan.job or Gang()
    return {
        "suspend": True,
        "parallelism": gang.pods,
        "completions": gang.pods,
        "completion_mode": "Indexed",
        "backoff_limit": gang.retries,
        "active_deadline_seconds": gang.limit_s,
        "template": _template(plan, gang, labels, claim, secret),
    }


def _template(
    plan: ServicePlan, gang: Gang, labels: dict[str, str], claim: str | None, secret: pulumi.Input[str] | None
) -> PodTemplateSpecArgsDict:
    template = pod_template(plan, labels, claim=claim, secret=secret)
    if gang.nvlink_domain or plan.nvlink_domain:
        annotated = {"labels": {**labels, SERVICE_LABEL: plan.name}, "annotations": {TOPOLOGY_ANNOTATION: RACK_LABEL}}
        template = {**template, "metadata": annotated}
    return {**template, "spec": {**template["spec"], "restart_policy": "Never"}}  # type: ignore[typeddict-item]
