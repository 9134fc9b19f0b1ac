"""Services, workers and jobs of a region's tenants, as components.

Owns which component a service is, and what it is told of secrets and of what stands in the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.plan.model import RegionPlan
from components.plan.tenants import ServicePlan
from components.runtime.job import Job, JobArgs
from components.runtime.service import Service, ServiceArgs
from components.spec.service import Kind
from stacks.rollout import tracks_left
from stacks.secret_values import secret_value


@dataclass(frozen=True, kw_only=True)
class Declared:
    """All of them."""

    services: Mapping[str, Service]
    """`tenant/service` -> what is called, or works off a queue."""
    jobs: tuple[Job, ...]


def declare_services(
    plan: RegionPlan,
    project: Path,
    doors: Mapping[str, pulumi.Input[str]],
    kubernetes: pulumi.ProviderResource,
    after: Sequence[pulumi.Resource],
) -> Declared:
    """`doors` are the listeners of each tenant, which the routes of its services attach to; `after` makes the kinds
    that all this is of."""
    left = tracks_left(plan, project)
    device_class, region = plan.cluster.device_class, plan.region
    services = {
        service.key: Service(
            _logical_name(service),
            ServiceArgs(
                service=service,
                device_class=device_class,
                gateway=doors[service.tenant],
                region=region,
                secrets=_secrets(project, service),
                left=left.get(service.key, frozenset()),
            ),
            pulumi.ResourceOptions(
                providers=[kubernetes],
                depends_on=after,
                # Until 0.2 services were named without their tenant, and two tenants could not have the same.
                aliases=[pulumi.Alias(name=service.name)],
            ),
        )
        for service in plan.runtime.services
        if service.kind is not Kind.JOB
    }
    jobs = [
        Job(
            _logical_name(job),
            JobArgs(service=job, device_class=device_class, region=region, secrets=_secrets(project, job)),
            pulumi.ResourceOptions(providers=[kubernetes], depends_on=after),
        )
        for job in plan.runtime.services
        if job.kind is Kind.JOB
    ]
    return Declared(services=services, jobs=tuple(jobs))


def _logical_name(service: ServicePlan) -> str:
    return f"{service.tenant}.{service.name}"


def _secrets(project: Path, service: ServicePlan) -> dict[str, pulumi.Input[str]]:
    """Variable -> value, which Pulumi encrypts in its state and shows nowhere."""
    return {name: secret_value(project, reference) for name, reference in service.secrets}
