"""Rules on tenants' services: where they live, what they may use, when they scale."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.cluster import Namespace
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown
from components.spec.runtime import Service


@rule("namespace-undeclared", "runtime", "cluster")
def namespaces_exist(region: Region) -> Iterator[Fault]:
    """Every service is in a namespace of the cluster.

    Example: `namespace: tenant-dmo`.
    """
    known = {namespace.name for namespace in region.cluster.namespaces}
    for s, service in enumerate(region.runtime.services):
        if service.namespace not in known:
            at = ("runtime", "services", s, "namespace")
            yield unknown(at, "namespace", service.namespace, known, "cluster.namespaces")


@rule("service-gpus-beyond-host", "runtime", "racks", "catalogue")
def services_fit_a_host(region: Region) -> Iterator[Fault]:
    """A replica asks for no more GPUs than one host has.

    Example: `gpus: 5` on trays with four.
    """
    used = {rack.profile for rack in region.racks}
    known = [profile.tray.gpus for profile in region.catalogue.racks if profile.profile in used]
    if not known:  # another rule names the profiles that are missing
        return
    most = max(known)
    for s, service in enumerate(region.runtime.services):
        if service.gpus > most:
            yield Fault(
                at=("runtime", "services", s, "gpus"),
                message="a replica runs on one host, and no host has so many GPUs",
                found=str(service.gpus),
                allowed=f"at most {most}",
                remedy="ask for fewer, or split the model over replicas",
            )


@rule("replicas-order", "runtime", partial=True)
def replicas_are_ordered(region: Region) -> Iterator[Fault]:
    """The least number of replicas is not above the greatest.

    Example: `min: 3, max: 2`.
    """
    for s, service in enumerate(region.runtime.services):
        if service.scaling.min > service.scaling.max:
            yield Fault(
                at=("runtime", "services", s, "scaling", "min"),
                message="the least number of replicas is above the greatest",
                found=str(service.scaling.min),
                allowed=f"at most {service.scaling.max} (max)",
                remedy="lower min or raise max",
            )


def _with_namespace(region: Region) -> Iterator[tuple[int, Service, Namespace]]:
    namespaces = {namespace.name: namespace for namespace in region.cluster.namespaces}
    for s, service in enumerate(region.runtime.services):
        if namespace := namespaces.get(service.namespace):
            yield s, service, namespace


@rule("service-beyond-gpu-quota", "runtime", "cluster")
def services_fit_gpu_quota(region: Region) -> Iterator[Fault]:
    """At its most replicas, a service stays within the GPU quota of its namespace.

    Example: 5 replicas with 1 GPU each in a quota of 4.
    """
    for s, service, namespace in _with_namespace(region):
        wanted, quota = service.scaling.max * service.gpus, namespace.quota.gpus
        if wanted > quota:
            yield Fault(
                at=("runtime", "services", s, "scaling", "max"),
                message=f"at {service.scaling.max} replicas it would claim more GPUs than {namespace.name} may",
                found=f"{service.scaling.max} x {service.gpus} = {wanted}",
                allowed=f"at most {quota} (quota.gpus of {namespace.name})",
                remedy="lower max or gpus, or raise the quota",
            )


@rule("service-beyond-pod-quota", "runtime", "cluster")
def services_fit_pod_quota(region: Region) -> Iterator[Fault]:
    """At its most replicas, a service stays within the pod quota of its namespace.

    Example: 2 replicas in a quota of 1 pod.
    """
    for s, service, namespace in _with_namespace(region):
        if 0 < namespace.quota.pods < service.scaling.max:
            yield Fault(
                at=("runtime", "services", s, "scaling", "max"),
                message=f"at its most it would have more pods than {namespace.name} may",
                found=str(service.scaling.max),
                allowed=f"at most {namespace.quota.pods} (quota.pods of {namespace.name})",
                remedy="lower max, or raise the quota",
            )


RULES = (
    namespaces_exist,
    services_fit_a_host,
    replicas_are_ordered,
    services_fit_gpu_quota,
    services_fit_pod_quota,
)
