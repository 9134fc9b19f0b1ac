"""A job of a tenant: pods that its queue starts all at once, and that run to their end.

Owns the Job, the claim of its GPUs and its secrets. Does not own the queue and its quota (components/kubernetes), nor
when it starts: Kueue does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels
from components.plan.tenants import ServicePlan
from components.runtime.objects_job import job_claim_spec, job_labels, job_name, job_spec


@dataclass(frozen=True, kw_only=True)
class JobArgs:
    """What a Job is made of."""

    service: ServicePlan
    """Image, pods and GPUs, from the plan."""
    device_class: str
    """Class of the GPUs that each pod claims."""
    region: str
    """Region that the job is part of, for its labels."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Variable -> value of each of the plan's secrets, known to Pulumi as secret."""


class Job(pulumi.ComponentResource):
    """A batch Job in its tenant's queue. Another description is another Job, and the old one is removed."""

    job: pulumi.Output[str]
    """Name of the Job in the cluster."""
    namespace: pulumi.Output[str]
    """Namespace that it runs in."""

    def __init__(self, name: str, args: JobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:runtime:Job", name, None, opts)
        plan = args.service
        named = job_name(plan)
        labels = standard_labels(plan.name, component="job", part_of=args.region)
        after: list[pulumi.Resource] = []
        if plan.gpus:
            after.append(
                kubernetes.resource.v1.ResourceClaimTemplate(
                    f"{name}-claim",
                    # Under the job's own name: those of an old and a new job are there at the same time.
                    metadata={"name": named, "namespace": plan.namespace, "labels": labels},
                    spec=job_claim_spec(plan, args.device_class),
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        secret = self._create_secret(name, args, labels)
        kubernetes.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": named,
                "namespace": plan.namespace,
                "labels": {**labels, **job_labels()},
                # It may wait in its queue for days: the preview's approver does not wait with it.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec=job_spec(plan, labels, claim=named if plan.gpus else None, secret=secret),
            opts=pulumi.ResourceOptions(
                parent=self,
                # The first value only: from then on the queue says when it runs.
                ignore_changes=["spec.suspend"],
                depends_on=after,
            ),
        )
        self.job = pulumi.Output.from_input(named)
        self.namespace = pulumi.Output.from_input(plan.namespace)
        self.register_outputs({"job": self.job, "namespace": self.namespace})

    def _create_secret(self, name: str, args: JobArgs, labels: dict[str, str]) -> pulumi.Output[str] | None:
        if not args.service.secrets:
            return None
        secret = kubernetes.core.v1.Secret(
            f"{name}-secrets",
            metadata={"namespace": args.service.namespace, "labels": labels},
            immutable=True,
            string_data=pulumi.Output.secret(dict(args.secrets)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return secret.metadata["name"]
