"""Rules on the cluster and on the services that run in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.spec.cluster_cut import cluster_of, units_per_cluster
from components.spec.limits import CONTAINERD_FOR_KUBERNETES, CONTROL_PLANE_SIZES
from components.spec.rack import Role
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


def _count(region: Region, role: Role) -> int:
    return sum(tray.role is role for rack in region.racks for tray in rack.trays)


@rule("control-plane-size", "racks", "scalable_unit", "pools", "cluster")
def control_plane_is_odd(region: Region) -> Iterator[Fault]:
    """The control plane of every cluster has 1, 3 or 5 members: an even number tolerates no more failures.

    Example: two trays with the role control_plane among the racks of one cluster.
    """
    members = _control_planes(region)
    for number, count in sorted(members.items()):
        # Where there are several clusters, one without any is told by cluster-headless.
        if count not in CONTROL_PLANE_SIZES and (count or len(members) == 1):
            where = "" if len(members) == 1 else f" in cluster {number}, {_ids_of(region, number)}"
            yield Fault(
                at=("racks",),
                message=f"a control plane of {count}{where}: an even one tolerates no more than one machine less would",
                found=str(count),
                allowed=", ".join(map(str, CONTROL_PLANE_SIZES)),
                remedy="change the role of trays",
            )


def _control_planes(region: Region) -> Counter[int]:
    """Cluster -> its control planes; clusters that have none too."""
    members: Counter[int] = Counter()
    for rack in region.racks:
        members[cluster_of(region, rack.id)] += sum(tray.role is Role.CONTROL_PLANE for tray in rack.trays)
    return members


def _ids_of(region: Region, cluster: int) -> str:
    """`rack ids 273 to 544`."""
    size = units_per_cluster(region) * region.scalable_unit.racks
    return f"rack ids {(cluster - 1) * size + 1} to {cluster * size}"


@rule("control-plane-address", "racks", "scalable_unit", "pools", "cluster")
def control_plane_has_address(region: Region) -> Iterator[Fault]:
    """A control plane of more than one has an address that outlives each of them.

    Example: three control planes and no `api_vip_id`.
    """
    count = max(_control_planes(region).values(), default=0)
    if count > 1 and region.cluster.api_vip_id is None:
        yield Fault(
            at=("cluster",),
            message="with more than one control plane, the API needs an address of its own",
            found=f"{count} control planes and no api_vip_id",
            allowed="an id within pools.service_vips",
            remedy="add api_vip_id",
        )


@rule("worker-missing", "racks")
def there_are_workers(region: Region) -> Iterator[Fault]:
    """At least one tray is a GPU worker.

    Example: a region of spares only.
    """
    if not _count(region, Role.GPU_WORKER):
        yield Fault(
            at=("racks",),
            message="no tray is a GPU worker, so nothing serves",
            found="0",
            allowed="at least 1",
            remedy="give a tray the role gpu_worker",
        )


@rule("profiles-disagree", "racks", "catalogue")
def profiles_agree(region: Region) -> Iterator[Fault]:
    """Racks of one cluster agree in what kubelet and the drivers are told once for all.

    Example: simulated racks beside real ones.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    facts = [
        (r, p.profile, (p.simulated, p.tray.cgroup_version, p.tray.limited_oom_score))
        for r, p in ((r, profiles.get(rack.profile)) for r, rack in enumerate(region.racks))
        if p
    ]
    for r, name, fact in facts[1:]:
        if fact != facts[0][2]:
            yield Fault(
                at=("racks", r, "profile"),
                message=f"racks of one cluster agree in simulated, cgroup_version and limited_oom_score:"
                f" {name} differs from {facts[0][1]}",
                found=name,
                allowed="profiles that agree in these",
                remedy="put these racks into a region of their own",
            )


@rule("containerd-unsupported", "cluster")
def versions_go_together(region: Region) -> Iterator[Fault]:
    """Kubernetes is a version that the roles know, with a containerd of its time.

    Example: Kubernetes 1.36 with containerd 1.7.
    """
    cluster = region.cluster
    kubernetes = cluster.kubernetes.rpartition(".")[0]
    supported = CONTAINERD_FOR_KUBERNETES.get(kubernetes)
    if supported is None:
        yield Fault(
            at=("cluster", "kubernetes"),
            message="the roles and manifests do not know this Kubernetes version",
            found=cluster.kubernetes,
            allowed=", ".join(f"{minor}.x" for minor in CONTAINERD_FOR_KUBERNETES),
            remedy="choose one of these",
        )
    elif cluster.containerd.rpartition(".")[0] not in supported:
        yield Fault(
            at=("cluster", "containerd"),
            message=f"Kubernetes {kubernetes} is not run with this containerd",
            found=cluster.containerd,
            allowed=", ".join(f"{minor}.x" for minor in supported),
            remedy="choose one of these",
        )


@rule("quota-zero", "tenants", partial=True)
def quotas_allow_something(region: Region) -> Iterator[Fault]:
    """A tenant may have at least one pod.

    Example: `quota: {pods: 0, gpus: 4}`.
    """
    for t, tenant in enumerate(region.tenants):
        if tenant.quota.pods == 0:
            yield Fault(
                at=("tenants", t, "quota", "pods"),
                message="a tenant that may have no pod can run nothing",
                found="0",
                allowed="at least 1",
                remedy="raise it, or remove the tenant's file",
            )


RULES = (
    control_plane_is_odd,
    control_plane_has_address,
    there_are_workers,
    profiles_agree,
    versions_go_together,
    quotas_allow_something,
)
