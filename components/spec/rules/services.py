"""Rules on tenants' services: what they run, what they may use, when they scale."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.region import Region
from components.spec.rollout import Strategy
from components.spec.rules.rule import Fault, rule
from components.spec.service import Kind
from components.spec.services import services_of
from components.words import count


@rule("service-content", "tenants", partial=True)
def services_run_something(region: Region) -> Iterator[Fault]:
    """A service has an image or a model, and not both.

    Example: `image: vllm` beside `model: mistral-small`.
    """
    for placed in services_of(region):
        named = [key for key in ("image", "model") if getattr(placed.service, key)]
        if len(named) != 1:
            yield Fault(
                at=placed.at,
                message=f"{placed.name} must say what it runs, once",
                found=" and ".join(named) or "neither image nor model",
                allowed="`image`, or `model`, which brings its own image",
                remedy="remove one of them" if named else "add one of them",
            )


@rule("service-sleeps-unwakeable", "tenants", partial=True)
def what_sleeps_can_be_woken(region: Region) -> Iterator[Fault]:
    """A worker without a queue never sleeps: nothing would wake it.

    Example: `type: worker` with `min: 0` and a CPU target only.
    """
    for placed in services_of(region):
        scaling = placed.service.scaling
        if placed.service.type is Kind.WORKER and not scaling.min and not scaling.queue:
            yield Fault(
                at=(*placed.at, "scaling", "min"),
                message=f"nothing would wake {placed.name}: it has no requests and no queue",
                found="0",
                allowed="at least 1, or a `queue`",
                remedy="raise scaling.min, or say which queue it works off",
            )


@rule("service-target-unsuited", "tenants", partial=True)
def targets_can_be_measured(region: Region) -> Iterator[Fault]:
    """What has no requests is not scaled by requests.

    Example: a worker with `concurrency: 10`.
    """
    of_requests = {"concurrency", "requests_per_second", "p95_ms"}
    for placed in services_of(region):
        targets = placed.service.scaling.targets
        wrong = [t for t in targets if t in of_requests] if placed.service.type is Kind.WORKER else []
        wrong = list(targets) if placed.service.type is Kind.JOB else wrong
        if wrong:
            is_job = placed.service.type is Kind.JOB
            yield Fault(
                at=(*placed.at, "scaling", wrong[0]),
                message=f"{placed.name} is a {placed.service.type.value}: "
                + ("it has the pods of `job.pods`, and ends" if is_job else "the gateway sends it no requests"),
                found=", ".join(wrong),
                allowed="no target" if is_job else "cpu_percent, memory_percent, queue, schedule",
                remedy="remove it, or change `type`",
            )


@rule("shift-empty", "tenants", partial=True)
def shifts_last_a_while(region: Region) -> Iterator[Fault]:
    """A shift ends at another time than it starts. One that ends earlier lasts over midnight.

    Example: `{start: "08:00", end: "08:00", replicas: 2}`.
    """
    for placed in services_of(region):
        for n, shift in enumerate(placed.service.scaling.schedule):
            if shift.start == shift.end:
                yield Fault(
                    at=(*placed.at, "scaling", "schedule", n, "end"),
                    message="the shift ends when it starts",
                    found=shift.end,
                    allowed=f"another time than {shift.start}",
                    remedy="correct one of them; for replicas at all times raise scaling.min",
                )


@rule("volume-shared", "tenants", partial=True)
def volumes_pin_one_replica(region: Region) -> Iterator[Fault]:
    """A volume is a disk of one host: a service that has one has one replica, and ends before it starts anew.

    Example: a volume with `max: 3`, or with a canary.
    """
    for placed in services_of(region):
        service = placed.service
        if not service.volumes:
            continue
        if service.scaling.max > 1:
            yield Fault(
                at=(*placed.at, "scaling", "max"),
                message=f"{placed.name} has a volume, which is on one host, for one replica",
                found=str(service.scaling.max),
                allowed="1",
                remedy="lower max, or keep the data in the tenant's bucket",
            )
        if service.rollout.strategy is not Strategy.IMMEDIATE:
            yield Fault(
                at=(*placed.at, "rollout") if "rollout" in service.model_fields_set else placed.at,
                message=f"two versions of {placed.name} would write to one volume",
                found=service.rollout.strategy.value,
                allowed="strategy: immediate",
                remedy="write `rollout: {strategy: immediate}`",
            )


@rule("service-gpus-beyond-host", "tenants", "racks", "catalogue")
def services_fit_a_host(region: Region) -> Iterator[Fault]:
    """A replica asks for no more GPUs than one host has.

    Example: `gpu: {count: 5}` on trays with four.
    """
    used = {rack.profile for rack in region.racks}
    known = [profile.tray.gpus for profile in region.catalogue.racks if profile.profile in used]
    if not known:  # another rule names the profiles that are missing
        return
    most = max(known)
    for placed in services_of(region):
        if placed.service.gpus > most:
            yield Fault(
                at=(*placed.at, "gpu", "count"),
                message="a replica runs on one host, and no host has so many GPUs",
                found=str(placed.service.gpus),
                allowed=f"at most {most}",
                remedy="ask for fewer, or split the model over replicas",
            )


@rule("replicas-order", "tenants", partial=True)
def replicas_are_ordered(region: Region) -> Iterator[Fault]:
    """The least number of replicas is not above the greatest.

    Example: `min: 3, max: 2`.
    """
    for placed in services_of(region):
        scaling = placed.service.scaling
        if scaling.min > scaling.max:
            yield Fault(
                at=(*placed.at, "scaling", "min"),
                message="the least number of replicas is above the greatest",
                found=str(scaling.min),
                allowed=f"at most {scaling.max} (max)",
                remedy="lower min or raise max",
            )


@rule("service-beyond-gpu-quota", "tenants", partial=True)
def services_fit_gpu_quota(region: Region) -> Iterator[Fault]:
    """At its most replicas, a service stays within the GPU quota of its tenant.

    Example: 5 replicas with 1 GPU each in a quota of 4.
    """
    for placed in services_of(region):
        service, quota = placed.service, placed.tenant.quota
        is_job = service.type is Kind.JOB
        pods, at = (service.job.pods, ("job", "pods")) if is_job else (service.scaling.max, ("scaling", "max"))
        most = quota.gpus + (quota.borrow_gpus if is_job else 0)
        if pods * service.gpus > most:
            yield Fault(
                at=(*placed.at, *at),
                message=f"with {count(pods, 'pod')} it would claim more GPUs than {placed.tenant.tenant} may",
                found=f"{pods} x {service.gpus} = {pods * service.gpus}",
                allowed=f"at most {most} (quota of {placed.tenant.tenant})",
                remedy=f"lower {at[-1]} or gpu.count, or raise the quota",
            )


@rule("service-beyond-pod-quota", "tenants", partial=True)
def services_fit_pod_quota(region: Region) -> Iterator[Fault]:
    """At its most replicas, a service stays within the pod quota of its tenant.

    Example: 2 replicas in a quota of 1 pod.
    """
    for placed in services_of(region):
        service, quota = placed.service, placed.tenant.quota
        is_job = service.type is Kind.JOB
        pods, at = (service.job.pods, ("job", "pods")) if is_job else (service.scaling.max, ("scaling", "max"))
        if 0 < quota.pods < pods:
            yield Fault(
                at=(*placed.at, *at),
                message=f"at its most it would have more pods than {placed.tenant.tenant} may",
                found=str(pods),
                allowed=f"at most {quota.pods} (quota.pods of {placed.tenant.tenant})",
                remedy=f"lower {at[-1]}, or raise the quota",
            )


RULES = (
    services_run_something,
    what_sleeps_can_be_woken,
    targets_can_be_measured,
    shifts_last_a_while,
    volumes_pin_one_replica,
    services_fit_a_host,
    replicas_are_ordered,
    services_fit_gpu_quota,
    services_fit_pod_quota,
)
