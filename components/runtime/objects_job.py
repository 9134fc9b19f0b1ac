"""A job: pods that run to their end, which the tenant's queue starts all at once or not at all.

Pure functions from the plan. Kueue owns `suspend`: the job is made suspended, and starts once there is quota for all its
pods together. Where they must share an NVLink domain, the scheduler puts them into the rack of the first one; Kueue
ends a job whose pods do not all run in time, and starts it again later (role `kueue`). Its own topologies are no way:
a flavor that has one takes only pods that ask for it, all resources of a pod must come from that one flavor (0.17,
pkg/scheduler/flavorassigner/tas_flavorassigner.go), and claimed devices are not counted. Kueue also chooses the pool of GPUs, of those that
have what the job needs: it counts claims by their class and refuses such that select devices themselves (0.17,
pkg/dra/claims.go), and leaves out flavors whose hosts the pods do not take.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pulumi

from components.plan.fleet import POOL_LABEL
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import claim_template_spec, in_one_rack, pod_template
from components.spec.service import Gang

if TYPE_CHECKING:
    from pulumi_kubernetes.batch.v1 import JobSpecArgsDict
    from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict
    from pulumi_kubernetes.resource.v1 import ResourceClaimTemplateSpecArgsDict

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
QUEUE = "tenant"
"""The queue of each tenant's namespace (components/plan/tenancy)."""
JOB_LABEL = "batch.kubernetes.io/controller-uid"
"""Label of pods that Kubernetes gives them; its value is that of their job alone, whatever other job of the service runs."""
DIGEST_CHARACTERS = 10


def job_name(plan: ServicePlan) -> str:
    """Name and a digest of all that the job is: what Kubernetes does not let change is a new job then."""
    said = json.dumps([job_spec(plan, {}), plan.secrets], sort_keys=True, default=str)
    return f"{plan.name}-{hashlib.sha256(said.encode()).hexdigest()[:DIGEST_CHARACTERS]}"


def job_claim_spec(plan: ServicePlan, device_class: str) -> ResourceClaimTemplateSpecArgsDict:
    """One claim for each pod, by the class alone: of which pool it is, the host says."""
    return claim_template_spec(replace(plan, gpu=None), device_class)


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
    spec: dict[str, Any] = {**template["spec"], "restart_policy": "Never"}  # type: ignore[typeddict-item]
    affinity: dict[str, Any] = {}
    if plan.gpu_pools:
        # Sorted: another order of price is no other job.
        pools = {"key": POOL_LABEL, "operator": "In", "values": sorted(plan.gpu_pools)}
        terms = {"node_selector_terms": [{"match_expressions": [pools]}]}
        affinity["node_affinity"] = {"required_during_scheduling_ignored_during_execution": terms}
    if gang.nvlink_domain or plan.nvlink_domain:
        affinity["pod_affinity"] = in_one_rack(plan, JOB_LABEL)
    if affinity:
        spec["affinity"] = affinity
    return {**template, "spec": spec}  # type: ignore[typeddict-item]
